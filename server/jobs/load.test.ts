import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configSchema } from '../config/schema.ts';
import { Arena } from '../memory/arena.ts';
import { Rendezvous } from '../memory/rendezvous.ts';
import { Revisions } from '../memory/revisions.ts';
import { encodeControl } from '../store/control.ts';
import type { JobContext } from './job-context.ts';
import { loadModel } from './load.ts';
import { Meter } from './meter.ts';

/** More than what counts as close behind the stream. */
const RECORDS = 150;

test('a model that has learned all before the learner names the place stands there all the same', async () => {
  const arena = Arena.create(64 * 2 ** 20);
  const revisions = new Revisions(arena);
  revisions.learned = RECORDS;
  const record = encodeControl({ type: 'resumed' });
  const journal = {
    *read(from: number, to: number) {
      for (let revision = from; revision <= to; revision++) yield { revision, record };
    },
  } as unknown as JobContext['journal'];
  const settings = { rating: { min: 1, max: 5 }, evaluation: { rankEvery: 0, window: 100 }, kinds: {} };
  const config = configSchema.parse({ memory: { budgetMiB: 64 } });
  const context = { config, settings, journal, meter: new Meter(() => {}), arena, revisions };
  const spec = { namespace: '', name: 'popularity', plugin: 'popularity', config: { seed: 1, halfLifeDays: 90 } };
  const meeting = new Rendezvous(arena);
  const steps = loadModel({ spec, rendezvous: meeting.address }, context);
  assert.equal((await steps.next()).value?.type, 'made');
  assert.equal((await steps.next()).value?.type, 'caughtUp');
  // The loader is not asked to go on before the place is named.
  const met = meeting.meet(RECORDS, 1000);
  await steps.next();
  assert.equal(await met, true);
});
