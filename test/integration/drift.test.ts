import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RateStreamRequest } from '../../proto/gen/accrete/v1/recommender.ts';
import type { Client } from '../support/client.ts';
import { parseMetrics } from '../support/prometheus.ts';
import { randomNumbers, rating } from '../support/ratings.ts';
import { ServerProcess } from '../support/server-process.ts';

/** Drift through the wire: it is told of with its evidence, and a restart knows it. */

const USERS = 400;
const ITEMS = 200;
const BATCH = 1000;
/** The blocks that the test looks at before it says anything, and some more. */
const CALM = 18_000;
const AFTER = 3000;
const config = {
  models: [
    { name: 'mf', plugin: 'mf', config: { k: 0, ranking: 'taste' } },
    { name: 'deaf', plugin: 'mf', config: { k: 0, ranking: 'taste', drift: { reopen: 0 } } },
  ],
  metrics: { listen: '127.0.0.1:0' },
};

/** Every user rates every item once, in any order; from one rating on, good items are bad and bad ones good. */
function* stream() {
  const random = randomNumbers(7);
  const pairs = Array.from({ length: USERS * ITEMS }, (_, n) => n);
  const good = Array.from({ length: ITEMS }, () => 2.4 * random() - 1.2);
  for (let n = 0; n < CALM + AFTER; n++) {
    const other = n + Math.floor(random() * (pairs.length - n));
    [pairs[n], pairs[other]] = [pairs[other], pairs[n]];
    const item = Math.floor(pairs[n] / USERS);
    const level = 3 + (n < CALM ? 1 : -1) * good[item] + 2 * random() - 1;
    yield rating(`u${pairs[n] % USERS}`, `i${item}`, Math.max(1, Math.min(5, level)));
  }
}

test('drift is found once, told of with its evidence, acted on, and known after a restart', async (t) => {
  const server = await ServerProcess.start(t, config);
  await learn(server.client);
  const [{ model, hashes }, { model: deaf }] = await Promise.all(
    ['mf', 'deaf'].map((name) => server.client.getModel(name)),
  );
  assert.equal(model?.drifts.length, 1, JSON.stringify(model?.drifts, printed));
  const [{ number, revision, eventTime, ratingCount, statistic, threshold, meanBefore, meanAfter, action }] =
    model.drifts;
  const batch = Number(revision);
  assert(batch > CALM / BATCH && batch <= (CALM + AFTER) / BATCH, `at revision ${revision}`);
  assert(number === 1n && threshold === 10 && statistic > threshold && action === 'reopened');
  assert(ratingCount > 0n && ratingCount <= AFTER && Number(eventTime?.seconds) > 0);
  assert(meanBefore < 1.2 && meanAfter > 1.3 * meanBefore, `${meanBefore} -> ${meanAfter}`);
  assert.equal(deaf?.drifts[0].action, '');
  const rmse = (of: typeof deaf) => of?.metrics.find((row) => row.metric === 'rmse' && row.window === 'total')?.value;
  assert(Number(rmse(model)) < Number(rmse(deaf)), `${rmse(model)} with, ${rmse(deaf)} without`);
  const samples = parseMetrics(await (await fetch(server.url('/metrics'))).text());
  const counted = samples.filter(({ name, labels }) => name === 'accrete_model_drifts_total' && labels.model === 'mf');
  assert.deepEqual(
    counted.map(({ value }) => value),
    [1],
  );
  assert.equal(server.log.filter(({ msg }) => msg === 'a model found drift').length, 2);

  await server.stop();
  await server.start();
  assert(
    server.log.every(({ msg }) => msg !== 'a model found drift'),
    'told of again',
  );
  const again = await server.client.getModel('mf');
  assert.deepEqual(again.model?.drifts, model.drifts);
  assert.equal(again.hashes?.tables, hashes?.tables);
});

async function learn(client: Client): Promise<void> {
  const all = [...stream()];
  const requests = client.rateStream();
  for (let from = 0; from < all.length; from += BATCH)
    requests.send(RateStreamRequest.fromPartial({ ratings: all.slice(from, from + BATCH) }));
  const answers = await requests.finish();
  assert(answers.every(({ error }) => error === undefined));
}

const printed = (_key: string, value: unknown) => (typeof value === 'bigint' ? `${value}` : value);
