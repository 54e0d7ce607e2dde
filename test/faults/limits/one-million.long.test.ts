import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Rating } from '../../../proto/gen/accrete/v1/rating.ts';
import { RateStreamRequest } from '../../../proto/gen/accrete/v1/recommender.ts';
import type { Client } from '../../support/client.ts';
import { cpuSeconds } from '../../support/processors.ts';
import { rating, retraction } from '../../support/ratings.ts';
import { ServerProcess } from '../../support/server-process.ts';

/** One user, and one item, with a million ratings: what is done with them costs no more than the caps say. */

const RATINGS = 1_000_000;
const BATCH = 10_000;
const TRIES = 9;
/** Beyond what a small one costs: copies of lists of a million rows are part of it, walks through all of them are not. */
const MORE_MS = 250;
const TIMES = 30;

const config = {
  models: [
    { name: 'mf', plugin: 'mf' },
    { name: 'popularity', plugin: 'popularity' },
  ],
  memory: { budgetMiB: 3072 },
};

/** A user or an item, by its ratings' other ends. */
interface Subject {
  readonly rate: (n: number, value: number) => Rating;
  readonly retract: (n: number) => Rating;
  readonly user: string;
  readonly item: string;
}

const ofUser = (user: string, prefix: string): Subject => ({
  rate: (n, value) => rating(user, `${prefix}-${n}`, value),
  retract: (n) => retraction(user, `${prefix}-${n}`),
  user,
  item: `${prefix}-0`,
});
const ofItem = (item: string, prefix: string): Subject => ({
  rate: (n, value) => rating(`${prefix}-${n}`, item, value),
  retract: (n) => retraction(`${prefix}-${n}`, item),
  user: `${prefix}-0`,
  item,
});

async function rateAll(client: Client, subject: Subject, count: number): Promise<void> {
  const stream = client.rateStream();
  for (let from = 0; from < count; from += BATCH) {
    const ratings = Array.from({ length: Math.min(BATCH, count - from) }, (_, n) =>
      subject.rate(from + n, 1 + ((from + n) % 5)),
    );
    await stream.sendInTurn(RateStreamRequest.fromPartial({ ratings }));
  }
  for (const answer of await stream.finish()) assert.equal(answer.error, undefined);
}

/** Everything that is done with a subject. */
const ACTS: Readonly<Record<string, (client: Client, subject: Subject, n: number) => Promise<unknown>>> = {
  'rate one more': (client, { rate }, n) => client.rate([rate(RATINGS + n, 3)]),
  edit: (client, { rate }, n) => client.rate([rate(n + 1, 2)]),
  retract: (client, { retract }, n) => client.rate([retract(n + 20)]),
  'rate again what was retracted': (client, { rate }, n) => client.rate([rate(n + 20, 4)]),
  recommend: (client, { user }) => client.recommend(user, { model: 'mf' }),
  'recommend and explain': (client, { user }) =>
    client.recommend(user, { model: 'mf', explain: true, includeSeen: true }),
  'recommend alike': (client, { item }) => client.recommendLike(item),
  'the first page of its ratings': (client, { user }) => client.listRatings(user, { pageSize: 1000 }),
  'the user': (client, { user }) => client.getUser(user),
};

/** What one costs the server, in milliseconds of CPU time where the system tells that: others' work is no part of it. */
async function costMs(server: ServerProcess, act: (n: number) => Promise<unknown>): Promise<number> {
  const [startS, startMs] = [cpuSeconds(server), performance.now()];
  for (let n = 0; n < TRIES; n++) await act(n);
  const seconds = cpuSeconds(server) - startS;
  return (Number.isNaN(seconds) ? performance.now() - startMs : 1000 * seconds) / TRIES;
}

/** A large one beside a small one, among as many items and users. */
async function compare(t: TestContext, server: ServerProcess, large: Subject, small: Subject): Promise<void> {
  const costs: string[] = [];
  const dear: string[] = [];
  for (const [name, act] of Object.entries(ACTS)) {
    const smallMs = await costMs(server, (n) => act(server.client, small, n));
    const largeMs = await costMs(server, (n) => act(server.client, large, n));
    const text = `${name}: ${largeMs.toFixed(1)} ms, of a small one ${smallMs.toFixed(1)} ms`;
    costs.push(text);
    if (largeMs > TIMES * smallMs && largeMs > smallMs + MORE_MS) dear.push(text);
  }
  for (const text of costs) t.diagnostic(text);
  assert.deepEqual(dear, []);
}

for (const [what, make] of [
  ['user', ofUser],
  ['item', ofItem],
] as const) {
  test(`a ${what} with ${RATINGS} ratings`, { timeout: 900_000 }, async (t) => {
    const server = await ServerProcess.start(t, config);
    const { client } = server;
    const large = make('large', 'other');
    const small = make('small', 'other');
    const startMs = performance.now();
    await rateAll(client, large, RATINGS);
    t.diagnostic(`rated in ${((performance.now() - startMs) / 1000).toFixed(1)} s`);
    await rateAll(client, small, 50);
    await compare(t, server, large, small);

    let pages = 0;
    let pageToken = '';
    const listMs = performance.now();
    do {
      ({ nextPageToken: pageToken } = await client.listRatings(large.user, { pageToken, pageSize: 1000 }));
    } while (pageToken !== '' && ++pages < 2000);
    t.diagnostic(`${pages + 1} pages of ratings in ${((performance.now() - listMs) / 1000).toFixed(1)} s`);

    const before = await client.getModel('mf');
    await server.kill();
    const againMs = performance.now();
    await server.start();
    t.diagnostic(`started again within ${((performance.now() - againMs) / 1000).toFixed(1)} s`);
    assert.deepEqual(await server.client.getModel('mf'), before);
  });
}
