import assert from 'node:assert/strict';
import { test } from 'node:test';
import { f64, type Plugin, type RefitContext, type TableSpecs } from '../../plugins/contract/index.ts';
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
  make({ learnsEvents: () => false, learner: ratingsAlone })();
  make({ learnsEvents: (config) => config.seed === 1 })();
  assert.throws(make({ learnsEvents: undefined }), {
    reason: 'PLUGIN_INVALID',
    message: 'Plugin popularity has learnEvent, and does not say learnsEvents: give it both or neither',
  });
  assert.throws(make({ learner: ratingsAlone }), {
    reason: 'PLUGIN_INVALID',
    message: 'Plugin popularity says learnsEvents, and its learner has no learnEvent: give it both or neither',
  });
});

test('a row of a table is no larger than a segment', () => {
  const wide = (width: number): Partial<Plugin> => ({
    tables: () => ({ wide: { index: 'model', columns: { at: { type: 'f32', width } } } }),
  });
  assert.throws(make(wide(2 ** 16 + 1)), {
    reason: 'PLUGIN_INVALID',
    message: /wide: has rows of more than 262144 bytes/,
  });
  assert.throws(make(wide(2 ** 30)), { reason: 'PLUGIN_INVALID' });
});

/** A refit of `yields`, whose context goes to `see`. */
const refitting = (see: (context: RefitContext<unknown, TableSpecs, unknown>) => void, yields = [0, 0.5, 1]) =>
  make({
    *refit(context) {
      see(context);
      yield* yields;
    },
  })();

test('a model whose plugin has no refit says so', async () => {
  const { model } = make({})();
  assert.ok(!model.capabilities.includes('refit'));
  await assert.rejects(model.refit(1).next(), {
    reason: 'CAPABILITY_MISSING',
    metadata: { model: 'popularity', capability: 'refit' },
  });
});

test('a refit is given all users and items, with rows, and draws by its seed', async () => {
  const draws: number[] = [];
  const lab = refitting(({ users, items, tables, random }) => {
    assert.deepEqual([users, items, tables.items.rows], [2, 3, 3]);
    draws.push(random.next());
  });
  assert.ok(lab.model.capabilities.includes('refit'));
  for (const [user, item] of [
    ['u', 'a'],
    ['v', 'b'],
    ['v', 'c'],
  ])
    lab.teach({ user, item, value: 3 });
  for (const seed of [1, 1, 2]) {
    const shares: number[] = [];
    for await (const share of lab.model.refit(seed)) shares.push(share);
    assert.deepEqual(shares, [0, 0.5, 1]);
  }
  assert.equal(draws[0], draws[1]);
  assert.notEqual(draws[0], draws[2]);
});

test('scratch memory of a refit is given back, also when it is left off or fails', async () => {
  const asked: number[] = [];
  const lab = refitting(({ scratch }) => asked.push(scratch(1000), scratch(70_000)));
  for (let n = 0; n < 3; n++) for await (const share of lab.model.refit(1)) if (share > 0 && n > 0) break;
  assert.deepEqual(asked.slice(2), [...asked.slice(0, 2), ...asked.slice(0, 2)]);
  const failing = refitting(({ scratch }) => {
    asked.push(scratch(1000));
    throw new Error('no');
  });
  const before = asked.length;
  for (let n = 0; n < 2; n++) await assert.rejects(failing.model.refit(1).next(), { message: 'no' });
  assert.equal(asked[before], asked[before + 1]);
});

test('a refit may wait for its device', async () => {
  const lab = make({
    async *refit() {
      yield await Promise.resolve(0.5);
      yield 1;
    },
  })();
  const shares: number[] = [];
  for await (const share of lab.model.refit(1)) shares.push(share);
  assert.deepEqual(shares, [0.5, 1]);
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
  const { errors } = prequential.stateTables();
  prequential.recordError(-2);
  requireSavedAsItWas(arena, errors, () => prequential.blend());
});

/** Keeps every first rating in a row of its own, and what is edited in row 0; `onEvent` is told the order of each. */
const keeping = (onEvent: (order: number) => void = () => {}) =>
  make({
    tables: () => ({ kept: { index: 'pool', perEvent: 1, columns: { value: f64(2048) } } }),
    scorer: () => ({ score: () => {} }),
    learnsEvents: undefined,
    learner: ({ tables, memory, append, touch }) => ({
      learn({ value, order, previous }) {
        const row = previous ? 0 : append('kept');
        touch('kept', row);
        memory.f64[tables.kept.column('value')(row) >>> 3] = value;
        onEvent(order);
      },
      retract: ({ order }) => onEvent(-order),
    }),
  })();

test('rows of a pool are made while learning, and there is room for them before', () => {
  const lab = keeping();
  const rating = { user: 'ann', item: 'tea', value: 4 };
  const { model } = lab;
  const [{ rows, bytes }] = model.sizes;
  assert.deepEqual([rows, bytes], [0, 0]);
  const stride = 8 * 2048;
  assert.ok(model.growthBytes(100) - model.growthBytes(0) >= 100 * stride);
  for (let n = 0; n < 40; n++) lab.teach({ ...rating, item: `${n}`, value: 1 + (n % 5) });
  assert.equal(model.sizes[0].rows, 40);
  const { kept } = model.stateTables();
  assert.equal(lab.arena.f64[kept.column('value')(38) >>> 3], 4);
  requireSavedAsItWas(lab.arena, kept, () => lab.teach({ ...rating, item: '7', value: 5 }));
});

test('learners hear in which order ratings came', () => {
  const heard: number[] = [];
  const lab = keeping((order) => heard.push(order));
  const rating = { user: 'ann', item: 'tea', value: 4 };
  const another = { user: 'ann', item: 'cake', value: 2 };
  lab.teachAll([rating, another, { ...rating, value: 1 }, { ...rating, retract: true }, rating]);
  assert.deepEqual(heard, [1, 2, 1, -1, 3]);
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
