import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Lab, type Rating } from '../../test/laws/lab.ts';
import { tablesOf } from '../../test/laws/rows.ts';
import { item, user } from '../../test/laws/streams.ts';
import type { Plugin } from '../contract/index.ts';
import plugin from './plugin.ts';

/* No legal setting diverges, whatever is sent: the settings together, at and between their bounds. */

/** What a prediction stays within, where ratings are 1 to 5: both biases and what the network may say are bounded. */
const EXPECTED_MAX = 50;

const part = (max: number, min = 0) =>
  fc.oneof(fc.constant(min), fc.constant(max), fc.double({ min, max, noNaN: true }));

const settings = fc.record({
  bias: fc.record({ userFloor: part(0.5), itemFloor: part(0.5) }),
  gmf: fc.record({ k: fc.constantFrom(4, 20, 128) }),
  tower: fc.record({ k: fc.constantFrom(4, 12, 32), layers: fc.nat(3).map((n) => n + 1), rank: fc.nat(8) }),
  initialSd: part(1, 1e-6),
  online: fc.record({ eta: part(1), l2: part(1), normalise: part(100), sharedEta: part(1), sharedL2: part(1) }),
  replay: fc.record({ count: fc.constantFrom(0, 1, 9), eta: part(1), l2: part(1), distill: part(1) }),
  gate: fc.oneof(fc.record({ fixed: part(1) }), fc.record({ prior: part(10_000, 0.1), forgetting: part(1, 0.9) })),
  refit: fc.record({
    epochs: fc.constantFrom(0, 1, 30),
    batch: fc.constantFrom(1, 7, 4096),
    eta: part(0.1),
    l2: part(1),
    dropout: part(0.9),
  }),
  popularity: part(100),
  relearn: fc.constantFrom(1, 3, 1000),
});

/** A few users and items hammered with extremes, edits and retractions. */
const event: fc.Arbitrary<Rating> = fc.record({
  user: fc.nat(3).map(user),
  item: fc.nat(5).map(item),
  value: fc.constantFrom(1, 5),
  weight: fc.constantFrom(0, 0.1, 1, 10),
  retract: fc.nat(9).map((n) => n === 0),
});
const events = fc.array(event, { minLength: 20, maxLength: 60 });
const ROUNDS = 12;
const REFIT_EVERY = 5;

test('all legal settings together stay finite and bounded, refits among the events', async () => {
  const property = fc.asyncProperty(settings, events, async (input, ratings) => {
    const lab = new Lab(plugin as unknown as Plugin, plugin.config.parse(input));
    const requireSane = ({ user: id, item: other }: Rating) => {
      const expected = lab.predict(id, other);
      assert.ok(Math.abs(expected) <= EXPECTED_MAX, `it expects ${expected}`);
      const scores = lab.score(lab.userRow(id), [0, lab.model.items]);
      assert.ok(scores.every(Number.isFinite), `it scores ${scores}`);
    };
    for (let round = 0; round < ROUNDS; round++) {
      for (const rating of ratings) {
        lab.teach(rating);
        requireSane(rating);
      }
      if (round % REFIT_EVERY !== 0) continue;
      for await (const _ of lab.model.refit(round));
      for (const rating of ratings) requireSane(rating);
    }
    for (const { name, rows, values } of tablesOf(lab)) {
      for (let row = 0; row < rows; row++) assert.ok(values(row).every(Number.isFinite), `${name} ${row}`);
    }
  });
  await fc.assert(property, { numRuns: Number(process.env.FC_RUNS ?? 60) });
});
