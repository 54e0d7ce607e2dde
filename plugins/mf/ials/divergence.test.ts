import { test } from 'node:test';
import fc from 'fast-check';
import { assertNeverDiverges, between } from '../../../test/laws/divergence.ts';
import type { Plugin } from '../../contract/index.ts';
import plugin from '../plugin.ts';

const settings = fc.record({
  objective: fc.constant('ials'),
  k: fc.constantFrom(1, 2, 5, 16),
  ials: fc.record({
    initialSd: fc.constantFrom(0.001, 0.1, 1),
    missing: between(10, 0.001),
    l2: between(1, 0.0001),
    exponent: between(1),
    history: fc.constantFrom(1, 2, 3, 1000),
    passes: fc.constantFrom(1, 10),
    window: fc.constantFrom(1, 2, 1000),
    decay: between(1),
  }),
  feedback: fc.record({ threshold: fc.constantFrom(1, 4) }),
  refit: fc.record({ epochs: fc.constantFrom(0, 1, 10) }),
});

test('all legal settings together stay finite and bounded, refits among the events', () =>
  assertNeverDiverges(plugin as unknown as Plugin, settings, {
    expectedMax: 0,
    runs: 100,
    kinds: ['', 'click', 'view'],
  }));
