import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type FuseSource, FuseStrategy } from '../../proto/gen/accrete/v1/fuse.ts';
import { readMovieLensSmall } from '../data.ts';
import type { Client } from '../support/client.ts';
import { leftOut } from '../support/long.ts';
import { batchesOf } from '../support/ratings.ts';
import { TEST_CONFIG } from '../support/server.ts';
import { ServerProcess } from '../support/server-process.ts';
import { failureOf } from '../support/status.ts';
import { removeCheckpoints } from '../support/stored-versions.ts';

/** Fuse of several models of a server into one: by each strategy, and what is refused. */

const data = readMovieLensSmall();
const mf = (name: string, config: object) => ({
  name,
  plugin: 'mf',
  // So few factors of sequences would be turned by what a refit draws, did the drawn items learn, too.
  config: { k: 8, replay: { count: 1 }, sequence: { k: 4, scope: 'local' }, ...config },
});
const server = await ServerProcess.start(
  { after },
  {
    models: [
      ...TEST_CONFIG.models,
      mf('live', {}),
      mf('alike', { eta: 0.1 }),
      mf('elsewhere', { seed: 2 }),
      mf('wide', { seed: 3, k: 12, sequence: { k: 6 } }),
      mf('plain', { base: 'biases', ranking: 'taste' }),
      { name: 'popular', plugin: 'popularity', config: {} },
      { name: 'slow', plugin: 'popularity', config: { halfLifeDays: null } },
      { name: 'neighbours', plugin: 'item-cf', config: {} },
    ],
    rating: { min: 0.5, max: 5 },
    evaluation: { rankEvery: 0, window: 500 },
  },
);
await learn(server.client, 0, 12_000);

const models = (...names: string[]): FuseSource[] => names.map((value) => ({ source: { $case: 'model', value } }));
const file = (value: string): FuseSource => ({ source: { $case: 'file', value } });
const STRATEGY = {
  AVERAGE: FuseStrategy.FUSE_STRATEGY_AVERAGE,
  PROCRUSTES: FuseStrategy.FUSE_STRATEGY_PROCRUSTES,
  CONCAT: FuseStrategy.FUSE_STRATEGY_CONCAT,
  COUNTS: FuseStrategy.FUSE_STRATEGY_COUNTS,
} as const;

test('each strategy makes a version, which is the same after a kill, and goes back to what never changed', {
  skip: leftOut,
}, async () => {
  const cases = [
    ['AVERAGE', models('alike')],
    ['PROCRUSTES', models('alike', 'elsewhere')],
    ['CONCAT', models('elsewhere', 'wide')],
  ] as const;
  const before = await stateOf(server.client);
  for (const [strategy, sources] of leftOut ? cases.slice(1, 2) : cases) {
    const request = { model: 'live', strategy: STRATEGY[strategy], sources: [...sources], guard: { margin: 1 } };
    const { result } = await server.client.fuse(request);
    assert.equal(result.promoted, true, result.decision?.reason);
    assert.equal(result.diagnostics.fused_models, 1 + sources.length);
    const fused = await stateOf(server.client);
    assert.notEqual(fused.tables, before.tables);
    await server.kill();
    removeCheckpoints(server.data);
    await server.start();
    assert.deepEqual(await stateOf(server.client), fused);
    const { model } = await server.client.rollbackModel('live', '1');
    assert(model?.versions.some(({ origin }) => origin === `fuse:${strategy.toLowerCase()}`));
    assert.equal((await stateOf(server.client)).tables, before.tables);
  }
});

test('what cannot be fused so is refused with what can', async () => {
  type Case = [strategy: keyof typeof STRATEGY, model: string, sources: FuseSource[], reason: string, message: RegExp];
  const cases: Case[] = [
    ['AVERAGE', 'live', [], 'INVALID_FIELD', /sources is empty/],
    ['AVERAGE', 'live', models('live'), 'INVALID_FIELD', /the model itself/],
    ['AVERAGE', 'live', models('nobody'), 'MODEL_NOT_FOUND', /loaded are/],
    ['AVERAGE', 'live', [{ source: { $case: 'version', value: '1' } }], 'INVALID_FIELD', /the version that serves/],
    [
      'AVERAGE',
      'live',
      [{ source: { $case: 'version', value: '77' } }],
      'VERSION_NOT_FOUND',
      /no earlier version "77"/,
    ],
    ['AVERAGE', 'live', [{ source: undefined }], 'INVALID_FIELD', /names nothing/],
    ['AVERAGE', 'live', Array.from({ length: 17 }, () => models('alike')[0]), 'INVALID_FIELD', /17 entries/],
    [
      'AVERAGE',
      'live',
      models('alike', 'elsewhere', 'alike'),
      'INVALID_FIELD',
      /sources\[2\].model is sources\[0\] again/,
    ],
    ['COUNTS', 'popular', [file('made'), file('made')], 'INVALID_FIELD', /sources\[1\].file is sources\[0\] again/],
    ['AVERAGE', 'live', models('elsewhere'), 'INVALID_FIELD', /another base.*residual.*PROCRUSTES/],
    ['AVERAGE', 'live', models('wide'), 'INVALID_FIELD', /has 12 factors.* live has 8: FUSE_STRATEGY_CONCAT/],
    ['PROCRUSTES', 'live', models('wide'), 'INVALID_FIELD', /has 12 factors.* live has 8: FUSE_STRATEGY_CONCAT/],
    ['PROCRUSTES', 'live', models('plain'), 'INVALID_FIELD', /has base "biases", and live has "bayes"/],
    ['AVERAGE', 'live', models('popular'), 'INVALID_FIELD', /nothing but counts/],
    ['PROCRUSTES', 'popular', models('slow'), 'CAPABILITY_MISSING', /no factors.*this one takes COUNTS/],
    ['AVERAGE', 'neighbours', models('live'), 'CAPABILITY_MISSING', /its pairs are.*these can: live.*takes REFIT/],
    ['COUNTS', 'live', models('alike'), 'CAPABILITY_MISSING', /more than counts.*these can: popularity, popular, slow/],
    ['COUNTS', 'popular', models('slow'), 'INVALID_FIELD', /would be counted twice/],
    ['AVERAGE', 'live', [{ source: { $case: 'address', value: 'far:1/mf' } }], 'INVALID_FIELD', /none of `peers`/],
  ];
  const before = await stateOf(server.client);
  for (const [strategy, model, sources, reason, message] of cases) {
    const failure = await failureOf(server.client.fuse({ model, strategy: STRATEGY[strategy], sources }));
    assert.equal(failure.reason, reason, failure.message);
    assert.match(failure.message, message);
  }
  const wide = { model: 'live', strategy: STRATEGY.CONCAT, sources: models('wide'), options: { rank: 9 } };
  assert.match((await failureOf(server.client.fuse(wide))).message, /rank is 9, and live has 8 factors/);
  assert.deepEqual(await stateOf(server.client), before);
});

test('models of other bases are averaged when that is forced', async () => {
  const request = { model: 'live', strategy: STRATEGY.AVERAGE, sources: models('elsewhere'), validateOnly: true };
  const { result } = await server.client.fuse({ ...request, options: { force: true }, guard: { margin: 1 } });
  assert(result.diagnostics.agreement < 0.5);
  assert(result.diagnostics.unaligned_residual > result.diagnostics.alignment_residual);
});

test('a source that holds something of the window is refused, and of an earlier version nothing', {
  skip: leftOut,
}, async () => {
  const { client } = server;
  await client.fuse({ model: 'alike', guard: { margin: 1 } });
  // Of as many ratings as it takes until enough users stand behind them.
  const request = { model: 'live', strategy: STRATEGY.AVERAGE, guard: { margin: 1, windowEvents: 3500 } };
  const failure = await failureOf(client.fuse({ ...request, sources: models('alike') }));
  assert.deepEqual([failure.code, failure.reason], ['FAILED_PRECONDITION', 'WINDOW_SEEN']);
  assert.match(failure.message, /sources\[0\]\.model: version 2 of model alike.*wait for more ratings/);
  await learn(client, 12_000, 16_000);
  const { result } = await client.fuse({ ...request, sources: models('alike') });
  assert.equal(result.promoted, true, result.decision?.reason);
  await learn(client, 16_000, 20_000);
  const version = { source: { $case: 'version', value: '1' } } as const;
  assert.equal((await client.fuse({ ...request, sources: [version] })).result.promoted, true);
});

async function learn(client: Client, from: number, to: number): Promise<void> {
  for (const batch of batchesOf(data, from, to, 200)) await client.rate(batch);
}

async function stateOf(client: Client) {
  const { hash, hashes, model } = await client.getModel('live');
  return { hash, tables: hashes?.tables, version: model?.version, revision: model?.revision };
}
