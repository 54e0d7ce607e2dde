import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Arena } from './arena.ts';
import type { FeatureValues } from './features/feature-values.ts';
import { TextKey } from './ids.ts';
import { loadHostKernels } from './kernels/host-kernels.ts';
import { DIGEST_BYTES } from './request-ids.ts';
import { highArena } from './testing/high-arena.ts';
import { combineHashes, DEFAULT_NAMESPACE, hashText, World, type WorldHashes, WritableWorld } from './world.ts';

const arena = highArena();
const kernels = loadHostKernels(arena.memory);

const NOTHING: FeatureValues = {
  message: new Uint8Array(),
  categories: [],
  labels: [],
  attributes: new Map(),
  embeddings: new Map(),
  available: true,
  fromSeconds: 0,
  untilSeconds: Number.POSITIVE_INFINITY,
};

function rate(world: WritableWorld, userId: string, itemId: string, value: number): number {
  const { users, items, interactions, reclaimer } = world;
  const [userKey, itemKey] = [new TextKey(), new TextKey()];
  assert.ok(userKey.set(userId) && itemKey.set(itemId));
  const user = users.obtain(userKey, reclaimer);
  const item = items.obtain(itemKey, reclaimer);
  interactions.grow(users.rows, items.rows);
  return interactions.add({ user, item, kind: 0, value, weight: 1, seconds: 0, nanos: 0 }, reclaimer);
}

function click(world: WritableWorld, userId: string, itemId: string, kindName: string): number {
  const { users, items, interactions, events, reclaimer } = world;
  const [userKey, itemKey, kindKey] = [new TextKey(), new TextKey(), new TextKey()];
  assert.ok(userKey.set(userId) && itemKey.set(itemId) && kindKey.set(kindName));
  const user = users.obtain(userKey, reclaimer);
  const item = items.obtain(itemKey, reclaimer);
  const kind = events.obtainKind(kindKey, reclaimer);
  interactions.grow(users.rows, items.rows);
  events.grow(users.rows, items.rows);
  const fields = { user, item, kind, value: Number.NaN, weight: 1, learned: 1, seconds: 0, nanos: 0 };
  return events.add(fields, reclaimer);
}

function remember(world: WritableWorld, id: string): void {
  const digest = new Uint8Array(DIGEST_BYTES);
  const entry = {
    id: Buffer.from(id),
    namespace: DEFAULT_NAMESPACE,
    digest,
    revision: 1,
    accepted: 1,
    receivedAtMs: 1,
  };
  world.requestIds.add(entry, world.reclaimer);
}

test('a new world has the namespace "" and nothing else', () => {
  const world = WritableWorld.create(arena, 1);
  assert.deepEqual([world.namespaces.rows, world.users.rows, world.items.rows, world.interactions.count], [1, 0, 0, 0]);
  assert.equal(world.namespaces.text(DEFAULT_NAMESPACE), '');
});

test('any thread attaches to it by its descriptor', () => {
  const world = WritableWorld.create(arena, 1);
  rate(world, 'ann', 'tea', 4);
  const reader = new World(new Arena(arena.memory), structuredClone(world.descriptor));
  rate(world, 'bob', 'tea', 5);
  world.itemFeatures.remove(0, world.reclaimer);
  world.userFeatures.write(1, NOTHING, world.reclaimer);
  assert.deepEqual([reader.itemFeatures.rows, reader.itemFeatures.isDeleted(0)], [1, true]);
  assert.deepEqual([reader.userFeatures.rows, reader.userFeatures.isDeleted(1)], [2, false]);
  assert.deepEqual([reader.users.text(1), reader.items.text(0)], ['bob', 'tea']);
  assert.equal(reader.interactions.byItem.count(0), 2);
  assert.equal(reader.namespaces.text(0), '');
  assert.ok(reader.interactions.find(1, 0) >= 0);
});

test('each hash sees its own part, and worlds of the same ratings have the same', () => {
  const hashesAfter = (change: (world: WritableWorld) => void): WorldHashes => {
    const world = WritableWorld.create(arena, hashSeed++);
    rate(world, 'ann', 'tea', 4);
    change(world);
    return world.hashes(kernels);
  };
  let hashSeed = 1;
  const before = hashesAfter(() => {});
  for (const hash of Object.values(before)) assert.match(hash, /^[0-9a-f]{16}$/);
  assert.deepEqual(
    hashesAfter(() => {}),
    before,
  );
  const key = new TextKey();
  key.set('cup');
  const cases: [change: (world: WritableWorld) => void, changed: (keyof WorldHashes)[]][] = [
    [(world) => world.users.obtain(key, world.reclaimer), ['ids']],
    [(world) => world.items.obtain(key, world.reclaimer), ['ids']],
    [(world) => world.namespaces.obtain(key, world.reclaimer), ['ids']],
    [(world) => world.interactions.remove(0, world.reclaimer), ['interactions']],
    [(world) => remember(world, 'r'), ['requestIds']],
    [(world) => click(world, 'ann', 'tea', 'view'), ['interactions']],
    [(world) => rate(world, 'bob', 'tea', 4), ['ids', 'interactions']],
    [(world) => world.itemFeatures.write(0, NOTHING, world.reclaimer), ['features']],
    [(world) => world.userFeatures.remove(0, world.reclaimer), ['features']],
  ];
  for (const [change, changed] of cases) {
    const after = hashesAfter(change);
    const differ = (Object.keys(before) as (keyof WorldHashes)[]).filter((part) => after[part] !== before[part]);
    assert.deepEqual(differ, changed, String(change));
  }
});

test('ratings ask for no more memory than was said before', () => {
  const batch = fc.record({
    ratings: fc.integer({ min: 1, max: 2000 }),
    users: fc.integer({ min: 1, max: 3000 }),
    long: fc.boolean(),
    /** Of how many ratings one comes by an event, which then is to be kept too; 0: of none. */
    eventEvery: fc.constantFrom(0, 1, 2, 7),
  });
  fc.assert(
    fc.property(fc.array(batch, { maxLength: 5 }), (batches) => {
      const own = Arena.create(2 ** 28);
      const world = WritableWorld.create(own, 1);
      let item = 0;
      for (const { ratings, users, long, eventEvery } of batches) {
        const { usedBytes } = own;
        const bytes = world.growthBytes(ratings, eventEvery === 0 ? 0 : Math.ceil(ratings / eventEvery));
        for (let n = 0; n < ratings; n++, item++) {
          const [user, name] = [`${n % users}`.padStart(long ? 256 : 1), `${item}`.padEnd(long ? 256 : 1)];
          rate(world, user, name, 1);
          if (n % eventEvery === 0) click(world, user, name, `kind-${n % 64}`.padEnd(63, '.'));
          remember(world, `request ${item}`);
        }
        assert.ok(own.usedBytes - usedBytes <= bytes, `${own.usedBytes - usedBytes} > ${bytes}`);
      }
    }),
    { numRuns: 15 },
  );
});

test('the first event makes lists for all who were there before', () => {
  const own = Arena.create(2 ** 28);
  const world = WritableWorld.create(own, 1);
  const key = new TextKey();
  for (let n = 0; n < 70_000; n++) {
    key.set(`id-${n}`);
    world.users.obtain(key, world.reclaimer);
    world.items.obtain(key, world.reclaimer);
  }
  world.interactions.grow(world.users.rows, world.items.rows);
  const { usedBytes } = own;
  assert.equal(world.events.growthBytes(0), 0);
  // Less what a rating by known users of known items may ask for.
  const bytes = world.growthBytes(1, 1) - world.growthBytes(1);
  click(world, 'id-5', 'id-7', 'view');
  assert.ok(own.usedBytes - usedBytes > 4 * 256 * 1024);
  assert.ok(own.usedBytes - usedBytes <= bytes, `${own.usedBytes - usedBytes} > ${bytes}`);
});

test('one hash of several sees each of them and their order', () => {
  const [a, b] = ['ef46db3751d8e999', '0000000000000001'];
  const combined = [[], [a], [b], [a, b], [b, a], [a, a]].map(combineHashes);
  assert.equal(new Set(combined).size, combined.length);
  for (const hash of combined) assert.match(hash, /^[0-9a-f]{16}$/);
  assert.equal(combineHashes([a]), a);
});

test('a hash is 16 digits', () => {
  assert.equal(hashText(0n), '0000000000000000');
  assert.equal(hashText(0xef46_db37_51d8_e999n), 'ef46db3751d8e999');
});
