import type { Device } from '../../plugins/contract/index.ts';
import type { Config } from '../config/schema.ts';
import type { Arena } from '../memory/arena.ts';
import type { Revisions } from '../memory/revisions.ts';
import type { Settings } from '../store/control.ts';
import type { JournalReader } from '../store/journal-reader.ts';
import type { Meter } from './meter.ts';

/** The decided settings that learning depends on. */
export type JobSettings = Pick<Settings, 'rating' | 'evaluation' | 'kinds' | 'stores'>;

/** What a job works with, in its own thread. */
export interface JobContext {
  readonly config: Config;
  readonly settings: JobSettings;
  readonly journal: JournalReader;
  readonly meter: Meter;
  /** The log says what the job goes on without. */
  readonly warn: (what: string) => void;
  /** The memory of the server; a job that needs much makes an arena of its own. */
  readonly arena: Arena;
  readonly revisions: Revisions;
  /** For refits. */
  readonly device: Device;
  /** Where checkpoints are. */
  readonly stateFolder: string;
}
