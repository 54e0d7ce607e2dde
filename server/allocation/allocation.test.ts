import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Owners } from './owners.ts';
import { layerSalt, POINTS, pointOf } from './point.ts';
import { areDisjoint, complement, countMoved, divide, recut, type Slices, sizeOf } from './slices.ts';
import { unitKey } from './unit-key.ts';

interface Vectors {
  readonly points: readonly { readonly salt: string; readonly unit: string; readonly point: number }[];
  readonly experiments: readonly {
    readonly name: string;
    readonly layer: string;
    readonly layerSlices: Slices;
    readonly salt: string;
    readonly arms: readonly { readonly name: string; readonly slices: Slices }[];
    readonly assignments: readonly { readonly unit: string; readonly arm: string | null }[];
  }[];
}

const path = new URL('../../test/data/allocation-vectors.json', import.meta.url);
const vectors = JSON.parse(readFileSync(path, 'utf8')) as Vectors;

test('points are as published', () => {
  for (const { salt, unit, point } of vectors.points) assert.equal(pointOf(salt, unit), point, `${salt} ${unit}`);
});

test('keys of units are the beginnings of their hashes, as text and as bytes', () => {
  for (const unit of ['ada', 'jürgen', '', ...Array.from({ length: 50 }, (_, n) => `user-${n}`)]) {
    const expected = createHash('sha256').update(unit).digest().readBigUInt64LE(0);
    assert.equal(unitKey(unit), expected, unit);
    assert.equal(unitKey(Buffer.from(unit)), expected, unit);
  }
});

for (const { name, layer, layerSlices, salt, arms, assignments } of vectors.experiments) {
  test(`assignments are as published: ${name}`, () => {
    const inLayer = new Owners([layerSlices]);
    const owners = new Owners(arms.map(({ slices }) => slices));
    for (const { unit, arm } of assignments) {
      const isIn = inLayer.find(pointOf(layerSalt(layer), unit)) === 0;
      const found = isIn ? arms[owners.find(pointOf(salt, unit))].name : null;
      assert.equal(found, arm, unit);
    }
  });
}

test('points are divided by weights to the last one', () => {
  assert.deepEqual(divide([1, 1]), [POINTS / 2, POINTS / 2]);
  assert.deepEqual(divide([1, 1, 1], 10), [4, 3, 3]);
  assert.deepEqual(divide([0, 5], 7), [0, 7]);
  assert.deepEqual(divide([Number.MAX_VALUE, Number.MAX_VALUE], 8), [4, 4]);
  assert.deepEqual(divide([Number.MIN_VALUE, 0, Number.MIN_VALUE], 9), [5, 0, 4]);
  for (let n = 1; n < 200; n++) {
    const weights = Array.from(
      { length: (n % 16) + 1 },
      (_, i) => ((n * 7919 + i * 104729) % 1000) + (i === 0 ? 1 : 0),
    );
    assert.equal(
      divide(weights).reduce((sum, share) => sum + share, 0),
      POINTS,
    );
  }
});

test('weights that grow keep what they had, and no more moves than has to', () => {
  let cut: Slices[] = [[], [], []];
  cut = recut(cut, divide([1, 1, 1]), complement([]));
  let most = 0;
  for (let n = 0; n < 2000; n++) {
    const weights = cut.slice(0, 3).map((_, i) => 1 + ((n * 7919 + i * 104_729 + n * n * 31) % 97));
    const sizes = divide(weights);
    const before = cut.slice(0, 3);
    const after = recut(before, sizes);
    assert.deepEqual(after.pop(), [], 'nothing is left');
    assert.ok(areDisjoint(after));
    assert.deepEqual(after.map(sizeOf), sizes);
    const growth = sizes.reduce((sum, size, i) => sum + Math.max(0, size - sizeOf(before[i])), 0);
    assert.equal(countMoved(before, after), growth);
    for (const [i, slices] of before.entries())
      if (sizes[i] >= sizeOf(slices)) assert.equal(countMoved([slices], [after[i]]), 0);
    cut = after;
    most = Math.max(most, cut.flat().length);
  }
  assert.ok(most <= 64, `${most} slices for three arms`);
});

test('what is free, and who owns a point', () => {
  assert.deepEqual(complement([[[5, 7]], [[0, 2]]]), [
    [2, 5],
    [7, POINTS],
  ]);
  assert.deepEqual(complement([[[0, POINTS]]]), []);
  const owners = new Owners([
    [[10, 20]],
    [],
    [
      [0, 10],
      [30, POINTS],
    ],
  ]);
  assert.deepEqual(
    [0, 9, 10, 19, 20, 29, 30, POINTS - 1].map((point) => owners.find(point)),
    [2, 2, 0, 0, -1, -1, 2, 2],
  );
  assert.equal(new Owners([]).find(3), -1);
});
