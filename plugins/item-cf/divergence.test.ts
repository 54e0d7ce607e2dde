import { test } from 'node:test';
import fc from 'fast-check';
import { assertNeverDiverges, between } from '../../test/laws/divergence.ts';
import type { Plugin } from '../contract/index.ts';
import plugin from './plugin.ts';

/** What a prediction stays within, where ratings are 1 to 5. */
const EXPECTED_MAX = 50;

const transitions = fc.record({
  partners: fc.constantFrom(4, 8, 200),
  window: fc.constantFrom(1, 5, 100),
  exponent: between(3),
  back: between(1),
  keep: between(1, 0.5),
  recent: fc.constantFrom(1, 30, 100),
  fade: between(1),
});

const settings = fc.record({
  bias: fc.record({ userFloor: between(0.5), itemFloor: between(0.5), relearn: fc.constantFrom(1, 3, 1000) }),
  neighbours: fc.record({
    history: fc.constantFrom(0, 1, 200),
    partners: fc.constantFrom(64, 512, 1024),
    shrink: between(10_000),
    doubt: between(10, 0.001),
  }),
  transitions,
  fast: transitions,
  ease: fc.record({ items: fc.constantFrom(0, 1, 4000), l2: between(1_000_000, 1), fade: between(1) }),
  popularity: between(1),
});

test('all legal settings together stay finite and bounded, refits among the events', () =>
  assertNeverDiverges(plugin as unknown as Plugin, settings, { expectedMax: EXPECTED_MAX, runs: 60 }));
