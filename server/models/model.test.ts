import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Plugin } from '../../plugins/contract/index.ts';
import popularity from '../../plugins/popularity/plugin.ts';
import { Lab } from '../../test/laws/lab.ts';
import { requireSavedAsItWas } from '../memory/testing/saved.ts';
import { dropTables } from './writable-model.ts';

const plugin = popularity as unknown as Plugin;
const make = (changed: Partial<Plugin>) => () => new Lab({ ...plugin, ...changed }, plugin.config.parse({}));

test('a plugin both says that it learns events and can, or neither', () => {
  const ratingsAlone: Plugin['learner'] = (context) => ({ learn: plugin.learner(context).learn });
  make({})();
  make({ learnsEvents: undefined, learner: ratingsAlone })();
  assert.throws(make({ learnsEvents: undefined }), {
    reason: 'PLUGIN_INVALID',
    message: 'Plugin popularity has learnEvent, and does not say learnsEvents: give it both or neither',
  });
  assert.throws(make({ learner: ratingsAlone }), {
    reason: 'PLUGIN_INVALID',
    message: 'Plugin popularity says learnsEvents, and its learner has no learnEvent: give it both or neither',
  });
});

test('a checkpoint has the live figures as they were when it began', () => {
  const { arena, model } = make({})();
  const { prequential } = model;
  prequential.countEvent();
  const { totals } = prequential.stateTables();
  for (const change of [
    () => prequential.countEvent(),
    () => prequential.recordError(1),
    () => prequential.recordRank(1),
    () => prequential.quarantine(7),
  ])
    requireSavedAsItWas(arena, totals, change);
});

test('the tables of a model that is gone stay while a checkpoint is written', () => {
  const lab = make({})();
  lab.teach({ user: 'ann', item: 'tea', value: 4 });
  const { arena, world, model } = lab;
  const table = model.stateTables().items;
  const address = table.column(Object.keys(table.columns)[0])(0);
  const bytes = table.segmentRows * table.stride;
  const freed = () => {
    world.reclaimer.collect();
    return Array.from({ length: 10 }, () => arena.allocate(bytes)).some((block) => Math.abs(block - address) < 64);
  };
  world.reclaimer.hold();
  dropTables(arena, model.descriptor, world.reclaimer);
  assert(!freed());
  world.reclaimer.release();
  assert(freed());
});
