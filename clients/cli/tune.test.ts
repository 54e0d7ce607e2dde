import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { ServerWritableStream } from '@grpc/grpc-js';
import { ModelServiceService } from '../../proto/gen/accrete/v1/model.ts';
import { type TuneModelRequest, TuneModelResponse } from '../../proto/gen/accrete/v1/tuning.ts';
import { makeFolder } from '../../test/support/temporary-folder.ts';
import { run } from './testing/accrete.ts';
import { FakeServer } from './testing/fake-server.ts';

/** `accrete tune`, against a server that keeps what it was asked. */

let asked: TuneModelRequest | undefined;
let address: string;

const live = { k: 64, replay: { count: 6 } };
const row = { metric: 'rmse', count: 1234n };
const candidate = { events: 5000n, metrics: [{ ...row, value: 0.95 }] };

const server = new FakeServer().add(ModelServiceService, {
  tuneModel: (call: ServerWritableStream<TuneModelRequest, TuneModelResponse>) => {
    const { name, validateOnly } = call.request;
    asked = call.request;
    const best = { ...candidate, config: { k: 32, replay: { count: 4 } }, fuseEveryEvents: 5000n };
    const others = [
      { ...candidate, config: live, isLive: true, metrics: [{ ...row, value: 0.96 }] },
      { config: { ...live, k: 16 }, failure: 'it diverged' },
    ];
    const passed = name !== 'worse';
    const difference = { metric: 'mse', model: 'mf@3', baseline: 'mf@2', value: -0.01, lower: -0.02, upper: 0 };
    const result = {
      candidates: name === 'good' ? others : [best, ...others],
      promoted: name === 'mf' && !validateOnly,
      version: name === 'mf' && !validateOnly ? '3' : '',
      previousVersion: '2',
      decision: name === 'good' ? undefined : { passed, reason: 'The candidate is what it is', difference },
      resumedReplays: 7,
    };
    const events = [
      { $case: 'standing', value: { rung: 1, rungs: 4, candidatesLeft: 33, candidatesDone: 8, events: 3703n, best } },
      { $case: 'progress', value: { phase: 'search', completed: 50n, total: 100n, unit: 'ratings' } },
      { $case: 'result', value: result },
    ] as const;
    for (const event of events) call.write(TuneModelResponse.fromPartial({ event }));
    call.end();
  },
});

before(async () => {
  address = await server.start();
});
after(() => server.stop());

async function tune(...args: string[]) {
  return run(['tune', ...args], address);
}

test('the best candidates by what is different in them, the decision, and what serves', async () => {
  const options =
    '--candidates 8 --window 5000 --metric mae --seed 3 --margin 0.01 --guard-metric rmse --guard-window 2000';
  const { code, stdout } = await tune('mf', ...options.split(' '));
  assert.equal(code, 0);
  assert.deepEqual(asked, {
    name: 'mf',
    space: undefined,
    candidates: 8,
    windowEvents: 5000,
    metric: 'mae',
    seed: 3,
    guard: { metric: 'rmse', margin: 0.01, windowEvents: 2000 },
    validateOnly: false,
  });
  assert.match(
    stdout,
    /^settings\tratings\trmse\nk=32 replay.count=4 fuse.everyEvents=5000\t5,000\t0.9500\nlive\t5,000\t0.9600\n/,
  );
  assert.match(stdout, /1 candidates failed, such as: it diverged\n7 replays were done by a search before\n/);
  assert.match(
    stdout,
    /The candidate is what it is\nversion 3 of mf serves, with the best settings; version 2 of mf is kept\n$/,
  );
});

test('the exit code tells whether the best settings serve', async () => {
  const worse = await tune('worse');
  assert.equal(worse.code, 4);
  assert.match(worse.stdout, /version 2 of worse serves, as before\n$/);
  const good = await tune('good');
  assert.equal(good.code, 0);
  assert.match(good.stdout, /the live settings are the best ones: version 2 of good serves, as before\n$/);
  assert.match((await tune('mf', '--validate-only')).stdout, /nothing was promoted: version 2 of mf serves\n$/);
  const lines = (await tune('mf', '--json')).stdout.trim().split('\n');
  assert.deepEqual(
    lines.map((line) => Object.keys(JSON.parse(line))[0]),
    ['standing', 'progress', 'result'],
  );
});

test('a space is lists, ranges, objects and files', async (t) => {
  const file = join(makeFolder(t), 'space.yaml');
  writeFileSync(file, 'l2: {min: 0.01, max: 0.2}\n');
  const parts = [
    'eta=.05..0.4:log',
    'k=16,32',
    'objective=bpr,rating',
    'gate.fixed=null,0.5',
    'fuse.everyEvents=5000,20000,0',
    '{"a": [1]}',
    `@${file}`,
  ];
  await tune('mf', ...parts.flatMap((part) => ['--space', part]));
  assert.deepEqual(asked?.space, {
    eta: { min: 0.05, max: 0.4, log: true },
    k: [16, 32],
    objective: ['bpr', 'rating'],
    'gate.fixed': [null, 0.5],
    'fuse.everyEvents': [5000, 20_000, 0],
    a: [1],
    l2: { min: 0.01, max: 0.2 },
  });
  assert.equal(asked?.guard, undefined);
});

test('what is written wrong calls nobody', async () => {
  asked = undefined;
  const wrongs = [
    ['--space', 'eta'],
    ['--space', '[1]'],
    ['--space', '@nowhere'],
    ['--candidates', '257'],
    ['--window', '999'],
  ];
  for (const wrong of [...wrongs, ['--guard-window', '100001'], ['--margin', '2']])
    assert.equal((await tune('mf', ...wrong)).code, 2, `${wrong}`);
  assert.equal(asked, undefined);
});
