import { test } from 'node:test';
import fc from 'fast-check';
import { assertNeverDiverges, between } from '../../test/laws/divergence.ts';
import { item } from '../../test/laws/streams.ts';
import type { Plugin } from '../contract/index.ts';
import plugin from './plugin.ts';

/** What a prediction stays within, where ratings are 1 to 5: mean, biases and level, slopes on features of -4 .. 4, factors. */
const EXPECTED_MAX = 5 + 2 * 10 + 8 * 10 * 4 + 10 * 10;

const mu = fc.oneof(fc.constantFrom(-0.949, 0, 0.949), fc.double({ min: -0.94, max: 0.94, noNaN: true }));

const settings = fc.record({
  k: fc.constantFrom(1, 2, 5, 16),
  initialSd: fc.constantFrom(0.01, 0.1, 1),
  optimiser: fc.constantFrom('sgd', 'momentum', 'adagrad', 'adam'),
  eta: between(1),
  l2: between(1),
  mu,
  scaled: fc.boolean(),
  beta1: between(0.99),
  beta2: between(0.9999),
  normalise: between(100),
  base: fc.constantFrom('bayes', 'biases'),
  regression: fc.record({
    noise: fc.constantFrom(0.01, 0.75, 100),
    user: fc.constantFrom(0.0001, 0.15, 1),
    slope: fc.constantFrom(0.0001, 0.015, 1),
    item: fc.constantFrom(0.0001, 0.2, 1),
    userDrift: between(0.01),
    slopeDrift: between(0.01),
    itemDrift: between(0.01),
  }),
  ranking: fc.constantFrom('sequence', 'taste'),
  sequence: fc.record({
    k: fc.constantFrom(1, 3, 8),
    initialSd: fc.constantFrom(0.01, 1),
    scope: fc.constantFrom('local', 'rivals', 'full'),
    rival: fc.constantFrom(0, 0.06, 1),
    negatives: fc.constantFrom(1, 5, 40),
    window: fc.constantFrom(1, 5),
    decay: between(1),
    fadeS: fc.constantFrom(1, 1e9),
    eta: between(1),
    userEta: between(1),
    l2: between(0.1),
  }),
  mean: fc.boolean(),
  bias: fc.record({ enabled: fc.boolean(), userFloor: between(0.5), itemFloor: between(0.5) }),
  replay: fc.record({
    count: fc.constantFrom(0, 1, 5, 20),
    eta: between(1),
    l2: between(1),
    biasStep: between(0.5),
    scope: fc.constantFrom('local', 'uniform'),
  }),
  refit: fc.record({ epochs: fc.constantFrom(0, 1, 50), eta: between(1), l2: between(1) }),
  relearn: fc.constantFrom(1, 3, 1000),
});

/** So many that sequences are learned. */
const introduced = Array.from({ length: 20 }, (_, n) => ({ user: `other ${n}`, item: item(n), value: 3 }));

test('all legal settings together stay finite and bounded, refits among the events', () =>
  assertNeverDiverges(plugin as unknown as Plugin, settings, {
    expectedMax: EXPECTED_MAX,
    runs: 150,
    users: 3,
    items: 3,
    introduced,
  }));
