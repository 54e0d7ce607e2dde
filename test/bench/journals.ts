import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Rating } from '../../proto/gen/accrete/v1/rating.ts';
import { RateRequest } from '../../proto/gen/accrete/v1/recommender.ts';
import { LmdbJournal } from '../../server/store/lmdb-journal.ts';
import { encodeRecord } from '../../server/store/record.ts';
import { randomNumbers, rating } from '../support/ratings.ts';
import type { ServerProcess } from '../support/server-process.ts';

/** Journals as long as a benchmark wants them, written past the server, which is stopped meanwhile. */

const BATCH = 1000;
const APPEND = 20;
const LINK_BYTES = 256 * 2 ** 20;
const ITEMS = 20_000;

/** Ratings of `users` users, drawn evenly, of items of which some are rated much more. */
export function* drawRatings(count: number, users: number) {
  const random = randomNumbers(users);
  for (let n = 0; n < count; n++) {
    const item = Math.floor(random() ** 2 * ITEMS);
    yield { user: `${Math.floor(random() * users)}`, item: `${item}`, value: 1 + Math.floor(5 * random()) };
  }
}

/** Appends so many ratings. */
export async function appendRatings(data: string, count: number, users: number): Promise<void> {
  const journal = await LmdbJournal.open({ directory: join(data, 'journal'), linkBytes: LINK_BYTES });
  let batch: Rating[] = [];
  let records: Uint8Array[] = [];
  const close = () => {
    if (batch.length > 0) records.push(recordOf(RateRequest.fromPartial({ ratings: batch })));
    batch = [];
  };
  const flush = async () => {
    close();
    if (records.length > 0) await journal.append(records);
    records = [];
  };
  for (const { user, item, value } of drawRatings(count, users)) {
    batch.push(rating(user, item, value, { eventTime: { seconds: 1_500_000_000n, nanos: 0 } }));
    if (batch.length < BATCH) continue;
    close();
    if (records.length === APPEND) await flush();
  }
  await flush();
  await journal.close();
}

function recordOf(request: RateRequest): Uint8Array {
  const payload = RateRequest.encode(request).finish();
  return encodeRecord({ type: 'ratings', receivedAtMs: 1_600_000_000_000, namespace: '', payload });
}

/** Starts a server that has ended; seconds until it was ready, and what it began from. */
export async function timeStart(server: ServerProcess): Promise<{ seconds: number; checkpoint: number | undefined }> {
  const beganMs = performance.now();
  await server.start();
  const seconds = (performance.now() - beganMs) / 1000;
  const { checkpoint } = (await server.said('ready')) as { checkpoint?: number };
  return { seconds, checkpoint };
}

/** Removes the checkpoints of a server that has ended. */
export function forgetCheckpoints({ data }: ServerProcess): void {
  rmSync(join(data, 'state'), { recursive: true, force: true });
}
