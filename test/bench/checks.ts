import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RateRequest } from '../../proto/gen/accrete/v1/recommender.ts';
import { checkJournal } from '../../server/jobs/check-journal.ts';
import type { JobContext } from '../../server/jobs/job-context.ts';
import { Meter } from '../../server/jobs/meter.ts';
import { readPast } from '../../server/learning/read-past.ts';
import { DamageMark } from '../../server/store/damage-mark.ts';
import { JournalReader } from '../../server/store/journal-reader.ts';
import { LmdbJournal } from '../../server/store/lmdb-journal.ts';
import { encodeRecord } from '../../server/store/record.ts';
import type { Report } from './report.ts';

/** How fast the journal is looked through for damage: before a start, and beside the stream where nothing holds it up. */

const part = 'durability';
/** Ratings of a record, and records. */
const SHAPES = [
  [1, 400_000],
  [100, 60_000],
] as const;
const LINK_BYTES = 64 * 2 ** 20;
const APPENDED = 10_000;

export async function benchChecks(report: Report): Promise<void> {
  report.heading('Checks of the journal');
  for (const [ratings, records] of SHAPES) {
    const directory = mkdtempSync(join(tmpdir(), 'accrete-bench-'));
    try {
      await check(report, directory, ratings, records);
    } finally {
      rmSync(directory, { recursive: true });
    }
  }
}

async function check(report: Report, directory: string, ratings: number, records: number): Promise<void> {
  const journal = await LmdbJournal.open({ directory, linkBytes: LINK_BYTES });
  for (let n = 0; n < records; n += APPENDED) {
    await journal.append(Array.from({ length: APPENDED }, (_, at) => recordOf(n + at, ratings)));
  }
  const { bytes } = journal.size();
  const of = `, ${ratings} ratings a record`;
  const add = (name: string, ms: number) => {
    report.add({ part, name: `${name}${of}`, value: bytes / 2 ** 20 / (ms / 1000), unit: 'MiB/s' });
    report.add({ part, name: '  records', value: records / (ms / 1000), unit: 'records/s' });
  };
  let beganMs = performance.now();
  readPast(journal, new DamageMark(directory), Number.POSITIVE_INFINITY, records);
  add('read before a start', performance.now() - beganMs);
  await journal.close();
  const reader = new JournalReader(directory, () => records);
  beganMs = performance.now();
  const context = { journal: reader, meter: new Meter(() => {}) } as unknown as JobContext;
  for (const _ of checkJournal({ to: records }, context));
  add('read beside the stream', performance.now() - beganMs);
}

function recordOf(n: number, count: number): Uint8Array {
  const ratings = Array.from({ length: count }, (_, at) => ({
    userId: `user-${n % 9973}`,
    itemId: `item-${(n + at) % 1009}`,
    value: 1 + (n % 5),
  }));
  const payload = RateRequest.encode(RateRequest.fromPartial({ ratings, requestId: `request-${n}` })).finish();
  return encodeRecord({ type: 'ratings', receivedAtMs: 1_700_000_000_000 + n, namespace: '', payload });
}
