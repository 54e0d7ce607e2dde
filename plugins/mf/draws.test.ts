import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_ROW, Random, type WritableMemory } from '../contract/index.ts';
import { Draws } from './draws.ts';
import type { Listed } from './listed.ts';

/* Items 0 .. 9, each with as many ratings. */

const ITEMS = 10;
const NEGATIVES = 5;

class CountingRandom extends Random {
  count = 0;

  override next(): number {
    this.count++;
    return super.next();
  }
}

function make(isFree: (user: number, item: number) => boolean) {
  const random = new CountingRandom();
  random.key(1, 0);
  const memory = { u32: Uint32Array.from({ length: ITEMS }, (_, item) => item) } as unknown as WritableMemory;
  const listed = { count: ITEMS, at: (place: number) => place } as Listed;
  const wanted = { negatives: NEGATIVES, popular: 0.5, chosen: (part: number) => Math.floor(part * ITEMS), isFree };
  return { random, draws: new Draws({ random, memory, listed, ratingsOf: (item) => 4 * item }, wanted) };
}

test('what is drawn is free, is rated by somebody, and is another item', () => {
  const { draws } = make((user, item) => user === 7 && item % 2 === 0);
  const found = new Set<number>();
  for (let n = 0; n < 100; n++) {
    draws.begin(7, 4);
    found.add(draws.next());
  }
  found.delete(NO_ROW);
  assert.deepEqual([...found].sort(), [2, 6, 8]);
});

test('four draws for each item are all, for all of them together', () => {
  const { draws, random } = make((_user, item) => item === 3);
  for (let event = 1; event <= 20; event++) {
    draws.begin(7, 4);
    const found = Array.from({ length: 2 * 4 * NEGATIVES }, () => draws.next());
    assert.ok(found.slice(0, found.indexOf(NO_ROW)).every((item) => item === 3));
    assert.equal(random.count, 4 * NEGATIVES * event);
  }
});
