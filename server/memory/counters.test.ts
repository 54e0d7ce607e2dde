import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena, HEADER } from './arena.ts';
import { Counters } from './counters.ts';

test('counts start at zero, are told apart, and every thread reads them', () => {
  const arena = Arena.create(2 ** 20);
  const counters = new Counters(arena);
  const reader = new Counters(new Arena(arena.memory));
  assert.equal(reader.get('ratingsAccepted'), 0);
  counters.add('ratingsAccepted', 5);
  counters.add('ratingsAccepted', 2);
  counters.add('requestsRefused', 1);
  counters.set('lagSeconds', 0.25);
  counters.set('lagSeconds', 0.5);
  assert.deepEqual(
    (['ratingsAccepted', 'requestsRefused', 'lagSeconds', 'requestsAccepted'] as const).map((name) => reader.get(name)),
    [7, 1, 0.5, 0],
  );
});

test('counts stay within their part of the header', () => {
  const arena = Arena.create(2 ** 20);
  const header = () => arena.u8.slice(0, HEADER.end);
  const before = header();
  new Counters(arena).set('lagSeconds', -1e300);
  const changed = [...header().entries()].filter(([at, byte]) => byte !== before[at]).map(([at]) => at);
  assert.ok(changed.length > 0 && changed.every((at) => at >= HEADER.counters));
});
