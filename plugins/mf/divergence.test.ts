import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Lab, type Rating } from '../../test/laws/lab.ts';
import { tablesOf } from '../../test/laws/rows.ts';
import { item, user } from '../../test/laws/streams.ts';
import type { Plugin } from '../contract/index.ts';
import plugin from './plugin.ts';

/* No legal setting diverges, whatever is sent: the settings together, at and between their bounds. */

/** What a prediction stays within, where ratings are 1 to 5: mean, biases and level, slopes on features of -4 .. 4, factors. */
const EXPECTED_MAX = 5 + 2 * 10 + 8 * 10 * 4 + 10 * 10;

const part = (max: number) => fc.oneof(fc.constant(0), fc.constant(max), fc.double({ min: 0, max, noNaN: true }));
const mu = fc.oneof(fc.constantFrom(-0.949, 0, 0.949), fc.double({ min: -0.94, max: 0.94, noNaN: true }));

const settings = fc.record({
  k: fc.constantFrom(1, 2, 5, 16),
  initialSd: fc.constantFrom(0.01, 0.1, 1),
  optimiser: fc.constantFrom('sgd', 'momentum', 'adagrad', 'adam'),
  eta: part(1),
  l2: part(1),
  mu,
  scaled: fc.boolean(),
  beta1: part(0.99),
  beta2: part(0.9999),
  normalise: part(100),
  base: fc.constantFrom('bayes', 'biases'),
  regression: fc.record({
    noise: fc.constantFrom(0.01, 0.75, 100),
    user: fc.constantFrom(0.0001, 0.15, 1),
    slope: fc.constantFrom(0.0001, 0.015, 1),
    item: fc.constantFrom(0.0001, 0.2, 1),
    userDrift: part(0.01),
    slopeDrift: part(0.01),
    itemDrift: part(0.01),
  }),
  ranking: fc.constantFrom('sequence', 'taste'),
  sequence: fc.record({
    k: fc.constantFrom(1, 3, 8),
    initialSd: fc.constantFrom(0.01, 1),
    scope: fc.constantFrom('local', 'full'),
    negatives: fc.constantFrom(1, 5, 40),
    window: fc.constantFrom(1, 5),
    decay: part(1),
    fadeS: fc.constantFrom(1, 1e9),
    eta: part(1),
    userEta: part(1),
    l2: part(0.1),
  }),
  mean: fc.boolean(),
  bias: fc.record({ enabled: fc.boolean(), userFloor: part(0.5), itemFloor: part(0.5) }),
  replay: fc.record({
    count: fc.constantFrom(0, 1, 5, 20),
    eta: part(1),
    l2: part(1),
    biasStep: part(0.5),
    scope: fc.constantFrom('local', 'uniform'),
  }),
  refit: fc.record({ epochs: fc.constantFrom(0, 1, 50), eta: part(1), l2: part(1) }),
  relearn: fc.constantFrom(1, 3, 1000),
});

/** So many that sequences are learned. */
const introduced = Array.from({ length: 20 }, (_, n) => ({ user: `other ${n}`, item: item(n), value: 3 }));

/** A few users and items hammered with extremes, edits and retractions. */
const event: fc.Arbitrary<Rating> = fc.record({
  user: fc.nat(2).map(user),
  item: fc.nat(2).map(item),
  value: fc.constantFrom(1, 5),
  weight: fc.constantFrom(0, 0.1, 1, 10),
  retract: fc.nat(9).map((n) => n === 0),
});
const events = fc.array(event, { minLength: 20, maxLength: 60 });
const ROUNDS = 12;
const REFIT_EVERY = 5;

test('all legal settings together stay finite and bounded, refits among the events', async () => {
  const property = fc.asyncProperty(settings, events, async (input, ratings) => {
    const parsed = plugin.config.safeParse(input);
    fc.pre(parsed.success);
    const lab = new Lab(plugin as unknown as Plugin, parsed.data).teachAll(introduced);
    for (let round = 0; round < ROUNDS; round++) {
      for (const rating of ratings) {
        lab.teach(rating);
        const expected = lab.predict(rating.user, rating.item);
        assert.ok(Math.abs(expected) <= EXPECTED_MAX, `it expects ${expected}`);
      }
      assert.ok(lab.score(lab.userRow(user(0)), [0, lab.model.items]).every(Number.isFinite));
      if (round % REFIT_EVERY !== 0) continue;
      for await (const _ of lab.model.refit(round));
      for (const { user: id, item: other } of ratings) {
        const expected = lab.predict(id, other);
        assert.ok(Math.abs(expected) <= EXPECTED_MAX, `it expects ${expected} after a refit`);
      }
    }
    for (const { name, rows, values } of tablesOf(lab)) {
      for (let row = 0; row < rows; row++) assert.ok(values(row).every(Number.isFinite), `${name} ${row}`);
    }
  });
  await fc.assert(property, { numRuns: Number(process.env.FC_RUNS ?? 150) });
});
