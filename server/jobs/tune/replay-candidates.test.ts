import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Plugin } from '../../../plugins/contract/index.ts';
import mf from '../../../plugins/mf/plugin.ts';
import { recordsOf, Stage } from '../../../test/fuse/stage.ts';
import { firstRatings } from '../../../test/laws/streams.ts';
import { AccreteError } from '../../errors.ts';
import { Arena } from '../../memory/arena.ts';
import type { WritableModel } from '../../models/writable-model.ts';
import { DeviceMeter } from '../../tensor/device-meter.ts';
import { LocalDevice } from '../../tensor/local-device.ts';
import { requireLoss } from '../fuse/window-figures.ts';
import type { JobContext } from '../job-context.ts';
import { replayCandidates } from './replay-candidates.ts';

/** Candidates that replay records, without a server: those with a fusion period are trained anew on the way. */

const plugin = mf as unknown as Plugin;
const config = plugin.config.parse({ k: 4 });
/** Of 50 ratings each. */
const RECORDS = recordsOf(firstRatings(1, { users: 60, items: 40, events: 1500 }));
const LAST = RECORDS.length;
const SEED = 3;
const device = new LocalDevice(2 ** 32, new DeviceMeter());

function replay(periods: readonly number[], by = plugin) {
  const context = {
    settings: { rating: { min: 1, max: 5 }, kinds: {}, evaluation: { rankEvery: 0, window: 10 } },
    journal: { firstRevision: 1, read: () => RECORDS },
    device,
  } as unknown as Pick<JobContext, 'settings' | 'journal' | 'device'>;
  const spec = { namespace: '', name: 'mf', plugin: 'mf', config };
  const settings = periods.map((everyEvents) => ({ config, fuse: { everyEvents } }));
  const cohort = { model: { plugin: by, spec }, settings, inputs: [], refitSeed: SEED };
  const stretch = { start: 0, countedAfter: 0, last: LAST, rankEvery: 0 };
  const listener = { onRating: () => {}, onRefit: () => {} };
  return replayCandidates(cohort, stretch, requireLoss('rmse'), Arena.create(64 * 2 ** 20), context, listener);
}

/** What a model says live that is fused by REFIT each time that it has learned so much. */
async function fused(everyEvents: number): Promise<WritableModel> {
  const stage = new Stage();
  const model = stage.model(plugin, { k: 4 });
  let learned = 0;
  for (const record of RECORDS) {
    const { events } = model.prequential;
    if (events - learned >= everyEvents) {
      learned = events;
      for await (const _ of model.refit(SEED, device));
    }
    stage.learn([model], [record]);
  }
  return model;
}

test('a period is replayed as a server goes that fuses the model by REFIT at the same records', async () => {
  const periods = [0, 200, 500, 100_000];
  const trials = await replay(periods);
  for (const [n, trial] of trials.entries()) {
    const model = await fused(periods[n] || Number.POSITIVE_INFINITY);
    const live = model.prequential.figures().find(({ metric, window }) => metric === 'rmse' && window === 'total');
    const said = trial.figures.find(({ metric }) => metric === 'rmse');
    assert.equal(said?.count, live?.count);
    assert(Math.abs((said?.value ?? 0) - (live?.value ?? 0)) < 1e-12, `every ${periods[n]} events`);
  }
  const [never, often, seldom, late] = trials.map(({ loss }) => loss);
  assert.deepEqual([new Set([never, often, seldom]).size, late], [3, never]);
  // Side by side or alone, once or again.
  assert.deepEqual(await replay([500]), [trials[2]]);
});

test('who cannot be trained anew is left off with the reason; the others go on', async () => {
  const failures: [Error, RegExp][] = [
    [new Error('it threw'), /^its refit failed: it threw$/],
    [new AccreteError('DEVICE_FULL', 'Raise memory.deviceMiB'), /^its refit failed: Raise memory\.deviceMiB$/],
  ];
  const failing = (why: Error): Plugin => ({
    ...plugin,
    *refit() {
      yield 0.5;
      throw why;
    },
  });
  const [plain] = await replay([0]);
  for (const [why, failure] of failures) {
    const [lost, kept] = await replay([500, 0], failing(why));
    assert.equal(lost.loss, undefined);
    assert.match(lost.failure, failure);
    assert.deepEqual(kept, plain);
  }
  const [lost] = await replay([500], { ...plugin, refit: undefined });
  assert.match(lost.failure, /its plugin mf has no refit/);
  // It may fit where it is alone.
  await assert.rejects(replay([500, 0], failing(new AccreteError('MEMORY_FULL', 'No more'))), {
    reason: 'MEMORY_FULL',
  });
});
