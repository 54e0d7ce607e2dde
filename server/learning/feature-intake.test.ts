import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UpsertItemsRequest } from '../../proto/gen/accrete/v1/catalog.ts';
import { Arena } from '../memory/arena.ts';
import { TextKey } from '../memory/ids.ts';
import { Scale } from '../memory/scale.ts';
import { WritableWorld } from '../memory/world.ts';
import { Classrooms } from '../teaching/classrooms.ts';
import { FeatureWriter } from '../teaching/features.ts';
import type { Teacher } from '../teaching/teacher.ts';
import { FeatureIntake } from './feature-intake.ts';

const KIB = 1024;
const teacher = { grow() {}, growthBytes: () => 0 } as unknown as Teacher;

/** A world of items `0`, `1`, ... that are known from ratings alone. */
function worldOf(items: number) {
  const arena = Arena.create(64 * KIB * KIB);
  const world = WritableWorld.create(arena, 1);
  const key = new TextKey();
  for (let n = 0; n < items; n++) {
    key.set(String(n));
    world.items.obtain(key, world.reclaimer);
  }
  const scale = new Scale(1, 5);
  const classrooms = new Classrooms(world, teacher, { arena, scale, options: { rankEvery: 0, onQuarantine() {} } });
  return { arena, world, intake: new FeatureIntake(classrooms, arena) };
}

const ids = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => String(from + n));
const deletion = (itemIds: readonly string[], validateOnly = false) =>
  ({ type: 'itemsDeleted', itemIds, validateOnly }) as const;
const upsert = (itemIds: readonly string[], validateOnly = false) =>
  UpsertItemsRequest.encode(
    UpsertItemsRequest.fromPartial({ items: itemIds.map((itemId) => ({ itemId })), validateOnly }),
  ).finish();

test('those that were known are counted apart, deleted ones are not, each once', () => {
  const { world, intake } = worldOf(5);
  new FeatureWriter(world, teacher).deleteItems(['3', '4']);
  const { record, created, updated } = intake.examineItems(upsert(ids(2, 8)));
  assert.deepEqual([record instanceof Uint8Array, created, updated], [true, 5, 1]);
  const { record: gone, deleted } = intake.examineDeletion(deletion(['1', '1', '2', '3', '9']));
  assert.deepEqual([gone instanceof Uint8Array, deleted], [true, 2]);
});

test('what is only validated is not written', () => {
  const { intake } = worldOf(5);
  assert.deepEqual(intake.examineItems(upsert(['1', '9'], true)), { record: undefined, created: 1, updated: 1 });
  assert.deepEqual(intake.examineDeletion(deletion(['1', '9'], true)), { record: undefined, deleted: 1 });
});

test('what might not fit is refused before it is written, deletions too', () => {
  const { arena, world, intake } = worldOf(100_000);
  const places = world.itemFeatures.growthBytes({ rows: 100_000, messages: 0, messageBytes: 0, values: 0 });
  const needed = places + world.growthBytes(0);
  while (arena.freeBytes >= needed + 64 * KIB) arena.allocate(64 * KIB);
  intake.examineDeletion(deletion(['99999']));
  arena.allocate(64 * KIB);
  assert.throws(() => intake.examineDeletion(deletion(['99999'])), { reason: 'MEMORY_FULL' });
  assert.throws(() => intake.examineItems(upsert(['99999'])), { reason: 'MEMORY_FULL' });
});
