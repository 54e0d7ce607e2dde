import { setTimeout as sleep } from 'node:timers/promises';
import { bytesOfNumber, searchFiles } from './byte-search.ts';
import type { Client } from './client.ts';
import { randomNumbers, rating } from './ratings.ts';

/** Someone who is to be forgotten, among others. */

export const GONE = 'ann-who-shall-be-forgotten';
/** Nobody else rates so. */
export const PROBE = 1.234567890123;
const TEXTS = [GONE, 'label-of-ann-alone', 'label-of-ann-before', 'ann@example.org', 'request-of-ann'];

/** What is left of them in the files of a store. */
export function tracesIn(data: string): string[] {
  return searchFiles(data, [...TEXTS, ...bytesOfNumber(PROBE)]);
}

/** Retractions let all others go first: on a machine with much else to do they take their time. */
const GONE_MS_MAX = 120_000;

export async function untilGone(data: string): Promise<void> {
  const startMs = performance.now();
  while (tracesIn(data).length > 0) {
    if (performance.now() - startMs > GONE_MS_MAX) throw new Error(`they are still there: ${tracesIn(data)}`);
    await sleep(100);
  }
}

/** Ratings of others in several files of 1 MiB. */
export async function learnOthers(client: Client, seed: number, requests = 30): Promise<void> {
  const random = randomNumbers(seed);
  const draw = (count: number) => Math.floor(random() * count);
  for (let n = 0; n < requests; n++) {
    const eventTime = { seconds: BigInt(1e9 + 86_400 * n), nanos: 0 };
    const ratings = Array.from({ length: 300 }, () =>
      rating(`user-${draw(200)}`, `item-${draw(400)}`, 1 + draw(5), { eventTime }),
    );
    await client.rate(ratings, { requestId: `r-${seed}-${n}` });
  }
}

/** What they do, between what others do, with a checkpoint before and after. Kinds: click. */
export async function learnThem(client: Client): Promise<void> {
  await learnOthers(client, 1);
  await client.createCheckpoint();
  await client.rate([rating(GONE, 'item-3', PROBE), rating(GONE, 'only-ann', PROBE, { weight: 0.7 })], {
    requestId: 'request-of-ann',
  });
  await client.rate([
    rating('user-1', 'item-1', 2),
    rating(GONE, 'item-1', 4),
    rating(GONE, 'item-9', undefined, { kind: 'click' }),
  ]);
  await client.upsertUsers([{ userId: GONE, labels: ['label-of-ann-before'] }]);
  await client.upsertUsers([
    { userId: GONE, labels: ['label-of-ann-alone', 'shared'], attributes: { mail: 'ann@example.org' } },
    { userId: 'user-2', labels: ['shared'] },
  ]);
  await learnOthers(client, 2);
  await client.createCheckpoint();
  await learnOthers(client, 3);
}

export async function othersOf(client: Client) {
  const lists = Array.from({ length: 20 }, (_, n) => client.listRatings(`user-${n}`, { pageSize: 1000 }));
  return (await Promise.all(lists)).map(({ ratings }) => ratings);
}
