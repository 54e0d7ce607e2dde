import { join } from 'node:path';
import { AccreteError } from '../errors.ts';
import { errorCode } from '../store/failure.ts';
import { linkName } from '../store/link-chain.ts';
import { decodeRecord } from '../store/record.ts';
import { requireSoundLink } from '../store/sound-link.ts';
import type { JobContext } from './job-context.ts';

export interface CheckTask {
  /** The last record to read. */
  readonly to: number;
}

/** What is read at once: whoever takes the items sets the pace. */
const PART_BYTES = 1024 * 1024;

/**
 * Reads every record that is held, up to one, and the pages of each full file that LMDB would follow; gives how many bytes
 * the records of each part have. Throws STORE_DAMAGED.
 */
export function* checkJournal({ to }: CheckTask, { journal, meter }: JobContext): Generator<number> {
  const fulls = new Set(journal.links(to).map(({ first }) => first));
  let next = journal.firstRevision;
  let bytes = 0;
  meter.begin('check', 'records', to - next + 1);
  while (next <= to) {
    try {
      for (const { revision, record } of journal.read(next, to)) {
        if (fulls.has(revision)) requireSound(join(journal.directory, linkName(revision)));
        decodeRecord(record, revision);
        next = revision + 1;
        meter.add();
        bytes += record.length;
        if (bytes < PART_BYTES) continue;
        yield bytes;
        bytes = 0;
      }
    } catch (error) {
      // What was let go meanwhile need not be good any more.
      if (AccreteError.wrap(error).reason !== 'REVISION_GONE') throw error;
      next = journal.firstRevision;
    }
  }
  yield bytes;
}

function requireSound(path: string): void {
  try {
    requireSoundLink(path, 'whole');
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}
