import { test } from 'node:test';
import fc from 'fast-check';
import { assertNeverDiverges, between } from '../../test/laws/divergence.ts';
import type { Plugin } from '../contract/index.ts';
import plugin from './plugin.ts';

/** What a prediction stays within, where ratings are 1 to 5: both biases and what the network may say are bounded. */
const EXPECTED_MAX = 50;

const settings = fc.record({
  bias: fc.record({ userFloor: between(0.5), itemFloor: between(0.5) }),
  gmf: fc.record({ k: fc.constantFrom(4, 20, 128) }),
  tower: fc.record({ k: fc.constantFrom(4, 12, 32), layers: fc.nat(3).map((n) => n + 1), rank: fc.nat(8) }),
  initialSd: between(1, 1e-6),
  online: fc.record({
    eta: between(1),
    l2: between(1),
    normalise: between(100),
    sharedEta: between(1),
    sharedL2: between(1),
  }),
  replay: fc.record({ count: fc.constantFrom(0, 1, 9), eta: between(1), l2: between(1), distill: between(1) }),
  gate: fc.oneof(
    fc.record({ fixed: between(1) }),
    fc.record({ prior: between(10_000, 0.1), forgetting: between(1, 0.9) }),
  ),
  refit: fc.record({
    epochs: fc.constantFrom(0, 1, 30),
    batch: fc.constantFrom(1, 7, 4096),
    eta: between(0.1),
    l2: between(1),
    dropout: between(0.9),
  }),
  popularity: between(100),
  relearn: fc.constantFrom(1, 3, 1000),
});

test('all legal settings together stay finite and bounded, refits among the events', () =>
  assertNeverDiverges(plugin as unknown as Plugin, settings, { expectedMax: EXPECTED_MAX, runs: 60 }));
