import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Plugin } from '../../plugins/contract/index.ts';
import popularity from '../../plugins/popularity/plugin.ts';
import { configSchema } from '../config/schema.ts';
import { Arena } from '../memory/arena.ts';
import { Rendezvous } from '../memory/rendezvous.ts';
import { Revisions } from '../memory/revisions.ts';
import { makeTables } from '../models/writable-model.ts';
import { encodeControl } from '../store/control.ts';
import { DeviceMeter } from '../tensor/device-meter.ts';
import { LocalDevice } from '../tensor/local-device.ts';
import type { JobContext } from './job-context.ts';
import { loadModel } from './load.ts';
import { Meter } from './meter.ts';

const RECORDS = 50;

/** A loader of a journal of `RECORDS` records, of which reading each takes `recordMs`. */
function begin(recordMs: number) {
  const arena = Arena.create(64 * 2 ** 20);
  const revisions = new Revisions(arena);
  revisions.learned = RECORDS;
  const record = encodeControl({ type: 'resumed' });
  const seen: number[] = [];
  const sleeping = new Int32Array(new SharedArrayBuffer(4));
  const journal = {
    firstRevision: 1,
    *read(from: number, to: number) {
      for (let revision = from; revision <= to; revision++) {
        if (recordMs > 0) Atomics.wait(sleeping, 0, 0, recordMs);
        seen.push(revision);
        yield { revision, record };
      }
    },
  } as unknown as JobContext['journal'];
  const settings = { rating: { min: 1, max: 5 }, evaluation: { rankEvery: 0, window: 100 }, kinds: {} };
  const config = configSchema.parse({ memory: { budgetMiB: 64 } });
  const context = {
    config,
    settings,
    journal,
    meter: new Meter(() => {}),
    warn: () => {},
    arena,
    revisions,
    stateFolder: '',
    device: new LocalDevice(2 ** 20, new DeviceMeter()),
  };
  const spec = { namespace: '', name: 'popularity', plugin: 'popularity', config: { seed: 1, halfLifeDays: 90 } };
  const descriptor = makeTables(arena, popularity as unknown as Plugin, spec, 100);
  const meeting = new Rendezvous(arena);
  return { steps: loadModel({ descriptor, rendezvous: meeting.address, inputs: [] }, context), meeting, seen };
}

test('a model that has learned all before the learner names the place stands there all the same', async () => {
  const { steps, meeting } = begin(0);
  assert.deepEqual((await steps.next()).value, { exactFrom: 1 });
  // The loader is not asked to go on before the place is named.
  const met = meeting.meet(RECORDS, 1000);
  await steps.next();
  assert.equal(await met, true);
});

test('it has caught up only when what is left is learned in no time, however few records that is', async () => {
  const { steps, seen } = begin(2);
  assert.deepEqual((await steps.next()).value, { exactFrom: 1 });
  assert.equal(seen.length, RECORDS);
});

test('it stops when nobody waits for it any more', async () => {
  const { steps, meeting, seen } = begin(0);
  meeting.giveUp();
  await assert.rejects(steps.next(), { reason: 'MODEL_FAILED' });
  assert.equal(seen.length, 1);
});
