import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Table } from '../../server/memory/table.ts';
import { Lab } from '../../test/laws/lab.ts';
import { firstRatings } from '../../test/laws/streams.ts';
import type { Plugin } from '../contract/index.ts';
import { LENGTH_MAX } from './optimiser.ts';
import plugin from './plugin.ts';

test('no vector is longer than 10 once it was fused', () => {
  const lab = new Lab(plugin as unknown as Plugin, plugin.config.parse({ k: 4, sequence: { k: 4 } }));
  lab.teachAll(firstRatings(1, { users: 10, items: 30, events: 100 }));
  const vectors = [
    ['users', 'vector'],
    ['items', 'vector'],
    ['tastes', 'taste'],
    ['sequence', 'next'],
    ['sequence', 'trace'],
  ].map(([name, column]) => {
    const at = new Table(lab.arena, lab.model.descriptor.tables[name]).column(column)(3) >>> 2;
    return { column, numbers: lab.arena.f32.subarray(at, at + 4) };
  });
  for (const { numbers } of vectors) numbers.fill(100);
  lab.model.settle();
  for (const { column, numbers } of vectors)
    assert.ok(Math.hypot(...numbers) < LENGTH_MAX * (1 + 1e-6), `${column}: ${numbers}`);
});
