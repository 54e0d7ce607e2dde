import type { Config } from '../config/schema.ts';
import type { Arena } from '../memory/arena.ts';
import type { Revisions } from '../memory/revisions.ts';
import type { JournalReader } from '../store/journal-reader.ts';
import type { JobSettings } from './messages.ts';
import type { Meter } from './meter.ts';

/** What a job works with, in its own thread. */
export interface JobContext {
  readonly config: Config;
  readonly settings: JobSettings;
  readonly journal: JournalReader;
  readonly meter: Meter;
  /** The memory of the server; a job that needs much makes an arena of its own. */
  readonly arena: Arena;
  readonly revisions: Revisions;
}
