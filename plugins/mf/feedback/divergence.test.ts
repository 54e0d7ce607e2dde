import { test } from 'node:test';
import fc from 'fast-check';
import { assertNeverDiverges, between } from '../../../test/laws/divergence.ts';
import type { Plugin } from '../../contract/index.ts';
import plugin from '../plugin.ts';
import { FEEDBACK } from './config.ts';

const settings = fc.record({
  objective: fc.constantFrom(...FEEDBACK),
  k: fc.constantFrom(0, 1, 2, 5, 16),
  feedback: fc.record({
    threshold: between(5, 1),
    negatives: fc.constantFrom(1, 5, 40),
    popular: between(1),
    scope: fc.constantFrom('full', 'local'),
    window: fc.constantFrom(1, 5, 100),
    initialSd: fc.constantFrom(0.01, 0.1, 1),
    eta: between(1),
    biasEta: between(1),
    l2: between(0.1),
  }),
  refit: fc.record({ epochs: fc.constantFrom(0, 1, 20) }),
  relearn: fc.constantFrom(1, 3, 1000),
});

test('all legal settings together stay finite, events, exposures and refits among the ratings', () =>
  assertNeverDiverges(plugin as unknown as Plugin, settings, {
    expectedMax: 0,
    runs: 100,
    kinds: ['', 'click', 'buy', 'view'],
  }));
