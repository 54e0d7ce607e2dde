import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WritableModel } from '../models/writable-model.ts';
import { Succession, type Tenure } from './succession.ts';

const tenures = [
  { version: '1', from: 0, since: 0, config: {}, plugin: 'mf' },
  { version: '2', from: 10, since: 14, config: {}, plugin: 'mf' },
  { version: '3', from: 20, since: 20, config: {}, plugin: 'mf' },
];

function succeed(gone: readonly string[] = [], all: readonly Tenure[] = tenures) {
  const left: string[] = [];
  const succession = new Succession(
    all,
    ({ version }) => (gone.includes(version) ? undefined : ({ version } as WritableModel)),
    ({ version }) => left.push(version),
  );
  const at = (revision: number) => {
    const isChanged = succession.reach(revision);
    return [isChanged, succession.models.map(({ version }) => version).join(' ')];
  };
  return { at, left };
}

test('a version learns from the record of its file on, and is seen alone from its promotion on', () => {
  const { at, left } = succeed();
  const seen = [0, 9, 10, 13, 14, 19, 20, 21].map((revision) => at(revision).join(': '));
  assert.deepEqual(seen, [
    'true: 1',
    'false: 1',
    'true: 1 2',
    'false: 1 2',
    'true: 2',
    'false: 2',
    'true: 3',
    'false: 3',
  ]);
  assert.deepEqual(left, ['1', '2']);
});

test('whoever begins late has gone through all of it', () => {
  const { at, left } = succeed();
  assert.deepEqual(at(30), [true, '3']);
  assert.deepEqual(left, ['1', '2']);
});

test('while a version that is gone served there is none', () => {
  const { at, left } = succeed(['2']);
  assert.deepEqual([at(0)[1], at(10)[1], at(14)[1], at(20)[1]], ['1', '1', '', '3']);
  assert.deepEqual(left, ['1']);
});

test('a version that comes back, and of which there is no file, learns all the time', () => {
  const { at, left } = succeed([], [...tenures.slice(0, 2), { ...tenures[0], version: 'again', since: 20 }]);
  assert.deepEqual(
    [0, 10, 14, 20].map((revision) => at(revision)[1]),
    ['1 again', '1 2 again', '2 again', 'again'],
  );
  assert.deepEqual(left, ['1', '2']);
});
