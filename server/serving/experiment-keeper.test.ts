import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AccreteError } from '../errors.ts';
import type { ExperimentMoments } from '../experiments/arm-moments.ts';
import { makeExperiment } from '../experiments/making.ts';
import { ServedArm } from '../experiments/served.ts';
import { Preference } from '../experiments/statistics/interleaving.ts';
import { Moments } from '../experiments/statistics/moments.ts';
import { WANTED } from '../experiments/testing/wanted.ts';
import type { Experiment, WantedExperiment } from '../store/experiment.ts';
import type { RunMark } from '../store/exposure-mark.ts';
import { ExperimentKeeper, type ExperimentKeeperParts } from './experiment-keeper.ts';
import type { Experiments } from './experiments.ts';

/** What the keeper does when it looks, without a server. */

/** A keeper that only says what it does. */
function keeperOf(parts: Partial<ExperimentKeeperParts>): ExperimentKeeper {
  return new ExperimentKeeper({
    experiments: { byName: new Map(), open: [] } as unknown as Experiments,
    exposures: { close: async () => true },
    reports: { moments: () => assert.fail('nothing is read') },
    queue: { insist: async () => ({ revision: '' }) },
    mark: { read: () => undefined, remove: () => {} },
    logged: () => 0,
    onEnded: () => {},
    onStopped: () => {},
    onLost: () => {},
    onFailure: (error) => assert.fail(error),
    now: () => 1000,
    ...parts,
  });
}

interface Setting {
  readonly wanted: Partial<WantedExperiment>;
  /** Of each arm: how many of a hundred answers of each of its users led to something. */
  readonly converted?: readonly number[];
  readonly served?: readonly ServedArm[];
  /** What the learner answers the first time. */
  readonly refusal?: AccreteError;
}

/** What is asked of the learner when the keeper looks after so long. */
async function looksAfter(ms: number, { wanted, converted = [], served = [], refusal }: Setting): Promise<unknown[]> {
  const experiment: Experiment = makeExperiment({ ...WANTED, ...wanted }, new Map(), 0);
  const asked: unknown[] = [];
  const experiments = {
    byName: new Map([['first', experiment]]),
    open: [experiment],
    servedOf: () => served,
    change: async (change: unknown) => {
      asked.push(change);
      if (refusal && asked.length === 1) throw refusal;
    },
  } as unknown as Experiments;
  const moments: ExperimentMoments = {
    arms: experiment.arms.map((_, n) => ({
      exposures: 0,
      outcomes: 0,
      units: 0,
      paired: new Map(),
      sums: new Map(converted.length > 0 ? [['conversion', sumsOf(converted[n])]] : []),
    })),
    units: 0,
    arrivals: [],
    drafts: { preference: new Preference(), credits: [0, 0] },
  };
  const keeper = keeperOf({
    experiments,
    reports: { moments: async () => moments },
    now: () => ms,
  });
  await keeper.look();
  return asked;
}

/** 400 users with a hundred answers each, who differ a little. */
function sumsOf(converted: number) {
  const moments = new Moments();
  const events = { count: 0, sum: 0, squares: 0 };
  for (let n = 0; n < 400; n++) {
    const sum = converted + (n % 5) - 2;
    moments.add({ sum, count: 100, sumBefore: 0, countBefore: 0 });
    events.count += 100;
    events.sum += sum;
    events.squares += sum;
  }
  return { moments, events };
}

function servedIn(ms: number, failures: number): ServedArm {
  const arm = new ServedArm();
  for (let n = 0; n < 5000; n++) arm.record(ms * (1 + (n % 10) / 10), n < failures);
  return arm;
}

test('an experiment ends at its end, and not before', async () => {
  assert.deepEqual(await looksAfter(999, { wanted: { endMs: 1000 } }), []);
  assert.deepEqual(await looksAfter(1000, { wanted: { endMs: 1000 } }), [
    { how: 'stop', name: 'first', reason: 'it reached its end' },
  ]);
});

test('an arm stops that is surely beyond a guard rail', async () => {
  const wanted = { guardRails: [{ metric: 'conversion', harmMax: 0.1 }] };
  assert.deepEqual(await looksAfter(5000, { wanted, converted: [20, 20] }), []);
  assert.deepEqual(await looksAfter(4999, { wanted, converted: [20, 10] }), [], 'it is not looked at yet');
  const [stop] = await looksAfter(5000, { wanted, converted: [20, 10] });
  assert.deepEqual(stop, {
    how: 'stopArm',
    name: 'first',
    arm: 'b',
    reason: "its conversion is worse than the control's by more than 0.1, surely",
  });
});

for (const [metric, worse] of [
  ['latency_p99_ms', servedIn(4, 0)],
  ['error_share', servedIn(1, 500)],
] as const) {
  test(`an arm stops by ${metric}`, async () => {
    const wanted = { guardRails: [{ metric, harmMax: 0.5 }] };
    assert.deepEqual(await looksAfter(5000, { wanted, served: [servedIn(1, 20), servedIn(1, 20)] }), []);
    const [stop] = (await looksAfter(5000, { wanted, served: [servedIn(1, 20), worse] })) as { arm: string }[];
    assert.equal(stop?.arm, 'b');
  });
}

test('a bandit gives the better arm more, and each its floor', async () => {
  const wanted = { allocation: 'thompson' } as const;
  assert.deepEqual(await looksAfter(30_000, { wanted }), [], 'without figures all have the same');
  assert.deepEqual(await looksAfter(29_999, { wanted, converted: [20, 30] }), []);
  const [change] = (await looksAfter(30_000, { wanted, converted: [20, 30] })) as { weights: number[] }[];
  assert.deepEqual(
    change.weights.map((weight) => weight.toFixed(2)),
    ['0.10', '0.90'],
  );
});

test('isolated arms get their worlds at the start; where they do not fit any more, or have no model, that is the end', async () => {
  const wanted = { learningScope: 'isolated', startMs: 500 } as const;
  assert.deepEqual(await looksAfter(499, { wanted }), []);
  assert.deepEqual(await looksAfter(500, { wanted }), [{ how: 'isolate', name: 'first' }]);
  for (const reason of ['MEMORY_FULL', 'MODEL_FAILED', 'MODEL_NOT_FOUND'] as const) {
    const refusal = new AccreteError(reason, 'they hold 9 MiB');
    const [, end] = await looksAfter(500, { wanted, refusal });
    assert.deepEqual(end, { how: 'stop', name: 'first', reason: 'it could not begin: they hold 9 MiB' });
  }
});

test('what fails of one experiment keeps no other from its end', async () => {
  const open = ['one', 'two'].map((name) => makeExperiment({ ...WANTED, name, endMs: 1000 }, new Map(), 0));
  const [ended, failures]: string[][] = [[], []];
  const change = async ({ name }: { name: string }) => {
    if (name === 'one') throw new AccreteError('DISK_FULL', 'full');
  };
  const experiments = { byName: new Map(open.map((each) => [each.name, each])), open, change };
  const keeper = keeperOf({
    experiments: experiments as unknown as Experiments,
    onEnded: (name) => ended.push(name),
    onFailure: ({ reason }) => failures.push(reason),
  });
  await keeper.look();
  assert.deepEqual([ended, failures], [['two'], ['DISK_FULL']]);
});

for (const [when, issues] of [
  ['before it has given any', false],
  ['after it has given some', true],
] as const) {
  test(`what a crash has lost is counted once, also if the next run ends ${when}`, async () => {
    let left: RunMark | undefined = { run: 7, issued: 20 };
    const asked: unknown[] = [];
    const experiments = { byName: new Map(), open: [makeExperiment(WANTED, new Map(), 0)] };
    const keeper = keeperOf({
      experiments: experiments as unknown as Experiments,
      queue: {
        insist: async (change) => {
          asked.push(change);
          if (issues) left = { run: 8, issued: 16 };
          return { revision: '1' };
        },
      },
      mark: {
        read: () => left,
        remove: () => {
          left = undefined;
        },
      },
      logged: () => 5,
    });
    keeper.begin();
    await new Promise((resolve) => setImmediate(resolve));
    keeper.stop();
    assert.deepEqual(asked, [{ type: 'crashed', run: 7, lost: 15 }]);
    assert.deepEqual(left, issues ? { run: 8, issued: 16 } : undefined);
  });
}
