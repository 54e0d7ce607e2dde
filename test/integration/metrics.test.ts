import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Gate, heldRating } from '../support/gate.ts';
import { parseMetrics, type Sample } from '../support/prometheus.ts';
import { rating, retraction } from '../support/ratings.ts';
import { TEST_CONFIG, TestServer } from '../support/server.ts';
import { failureOf } from '../support/status.ts';

/** The endpoint for Prometheus and for probes. */

const metrics = { listen: '127.0.0.1:0' };
const server = await TestServer.start({ after }, { metrics });
const { client } = server;
await client.rate([rating('secret-ann', 'secret-matrix', 4), rating('secret-ann', 'secret-alien', 2)], {
  requestId: '1',
});
await client.rate([rating('secret-ann', 'secret-matrix', 5), retraction('secret-ann', 'secret-alien')], {
  requestId: '2',
});
const { revision } = await client.rate([rating('secret-bob', 'secret-matrix', 3)], { requestId: '3' });
await client.rate([rating('secret-bob', 'secret-matrix', 3)], { requestId: '3' });
await failureOf(client.rate([rating('secret-bob', 'secret-matrix', 9), rating('', '', 0), rating('a', 'b', 3)]));
for (let n = 0; n < 7; n++) await client.recommend(n < 2 ? 'secret-ann' : 'secret-stranger');
await failureOf(client.recommend('secret-ann', { model: 'nope' }));

const scrape = async (of: TestServer): Promise<Sample[]> =>
  parseMetrics(await (await fetch(of.url('/metrics'))).text());
const samples = await scrape(server);

/** The only sample of a name with these labels. */
function numberOf(name: string, labels: Readonly<Record<string, string>> = {}): number {
  const found = samples.filter(
    (sample) => sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
  );
  assert.equal(found.length, 1, `${name} ${JSON.stringify(labels)}: ${JSON.stringify(found)}`);
  return found[0].value;
}

test('calls are counted and timed by method and status', () => {
  const calls = (method: string, status: string) =>
    numberOf('rpc_server_call_duration_seconds_count', {
      rpc_system_name: 'grpc',
      rpc_method: `accrete.v1.RecommenderService/${method}`,
      rpc_status_code: status,
    });
  assert.deepEqual([calls('Rate', 'OK'), calls('Rate', 'INVALID_ARGUMENT')], [4, 1]);
  assert.deepEqual([calls('Recommend', 'OK'), calls('Recommend', 'NOT_FOUND')], [7, 1]);
  const ofRate = { rpc_method: 'accrete.v1.RecommenderService/Rate', rpc_status_code: 'OK' };
  const sum = numberOf('rpc_server_call_duration_seconds_sum', ofRate);
  assert(sum > 0 && sum < 60, `${sum} s`);
  assert.equal(numberOf('rpc_server_call_duration_seconds_bucket', { ...ofRate, le: '+Inf' }), 4);
});

test('ratings are counted by what became of them, and by model', () => {
  const events = (model: string, result: string) => numberOf('accrete_rate_events_total', { model, result });
  assert.deepEqual([events('', 'accepted'), events('', 'refused')], [5, 3]);
  assert.deepEqual([events('mean', 'learned'), events('popularity', 'learned')], [5, 5]);
  const requests = (result: string) => numberOf('accrete_rate_requests_total', { result });
  assert.deepEqual([requests('accepted'), requests('duplicate'), requests('refused')], [3, 1, 1]);
});

test('recommendations are timed by the model that answered', () => {
  const count = (model: string) => numberOf('accrete_recommend_duration_seconds_count', { model });
  assert.deepEqual([count('mean'), count('popularity')], [2, 5]);
});

test('the live error, the revision, the lag and the sizes are there', () => {
  const figure = (name: string) => numberOf(`accrete_prequential_${name}`, { model: 'mean', window: 'total' });
  // First ratings of 4, 2 and 3, of which 3, 4 and 3 were expected.
  assert(Math.abs(figure('mae') - 1) < 1e-12);
  assert(Math.abs(figure('rmse') - Math.sqrt(5 / 3)) < 1e-12);
  assert.equal(numberOf('accrete_model_revision', { model: 'mean' }), Number(revision));
  const lag = numberOf('accrete_update_lag_seconds');
  assert(lag >= 0 && lag < 10, `${lag} s`);
  assert(numberOf('accrete_table_bytes', { model: 'mean', table: 'users' }) > 0);
  assert(numberOf('accrete_memory_bytes', { state: 'used' }) < numberOf('accrete_memory_bytes', { state: 'budget' }));
});

test('no label names a user or an item', () => {
  const names = new Set(samples.flatMap(({ labels }) => Object.keys(labels)));
  const known = [
    'model',
    'result',
    'window',
    'table',
    'state',
    'scenario',
    'device',
    'adapter',
    'le',
    'rpc_system_name',
    'rpc_method',
    'rpc_status_code',
  ];
  assert.deepEqual(
    [...names].filter((name) => !known.includes(name)),
    [],
  );
  assert(!JSON.stringify(samples).includes('secret'));
});

test('every metric says what it is', async () => {
  const text = await (await fetch(server.url('/metrics'))).text();
  const described = new Set([...text.matchAll(/^# HELP (\S+) (?!description missing)\S/gm)].map(([, name]) => name));
  for (const { name } of samples) {
    assert(described.has(name) || described.has(name.replace(/_(bucket|sum|count)$/, '')), `${name} is not described`);
  }
});

test('probes: alive and ready; anything else is not found', async () => {
  const code = async (path: string) => (await fetch(server.url(path))).status;
  assert.deepEqual([await code('/livez'), await code('/readyz'), await code('/')], [200, 200, 404]);
});

test('while it drains it is alive and not ready', async (t) => {
  const gate = new Gate(t);
  const draining = await TestServer.start(t, { metrics, models: [...TEST_CONFIG.models, gate.model] });
  const held = draining.client.rate([heldRating('ann', 'matrix')]);
  await gate.held();
  const stopped = draining.stop();
  const ready = await fetch(draining.url('/readyz'));
  assert.deepEqual([ready.status, await ready.text()], [503, 'draining\n']);
  assert.equal((await fetch(draining.url('/livez'))).status, 200);
  gate.open();
  assert.equal((await held).acceptedCount, 1);
  await stopped;
  await assert.rejects(fetch(draining.url('/livez')));
});

test('it can be off', async (t) => {
  const quiet = await TestServer.start(t, { metrics: { listen: 'off' } });
  assert.equal(quiet.metrics, undefined);
});

test('the disk of the data folder is told', () => {
  const [total, free] = ['total', 'free'].map((state) => numberOf('accrete_disk_bytes', { state }));
  assert(free > 0 && free <= total, `${free} of ${total}`);
});
