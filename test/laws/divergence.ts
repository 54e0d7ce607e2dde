import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Plugin } from '../../plugins/contract/index.ts';
import { Lab, type Rating } from './lab.ts';
import { tablesOf } from './rows.ts';
import { item, user } from './streams.ts';

/* No legal setting diverges, whatever is sent: the settings together, at and between their bounds. */

export interface Bounds {
  /** What a prediction stays within, where ratings are 1 to 5; of no account where none is made. */
  readonly expectedMax: number;
  readonly runs: number;
  /** Who rates what: so many, again and again. */
  readonly users?: number;
  readonly items?: number;
  /** Kinds of events; "" is a rating. */
  readonly kinds?: readonly string[];
  /** Rated before. */
  readonly introduced?: readonly Rating[];
}

const ROUNDS = 12;
const REFIT_EVERY = 5;

/** A number at and between its bounds. */
export const between = (max: number, min = 0) =>
  fc.oneof(fc.constant(min), fc.constant(max), fc.double({ min, max, noNaN: true }));

/**
 * A few users and items are hammered with extremes, edits and retractions, refits among them: all predictions are bounded,
 * and all scores and tables finite. `settings` that are not legal together are passed over; FC_RUNS repeats for longer.
 */
export async function assertNeverDiverges(
  plugin: Plugin,
  settings: fc.Arbitrary<unknown>,
  { expectedMax, runs, users = 4, items = 6, kinds = [''], introduced = [] }: Bounds,
): Promise<void> {
  const event: fc.Arbitrary<Rating> = fc
    .record({
      user: fc.nat(users - 1).map(user),
      item: fc.nat(items - 1).map(item),
      kind: fc.constantFrom(...kinds),
      value: fc.constantFrom(1, 5),
      weight: fc.constantFrom(0, 0.1, 1, 10),
      retract: fc.nat(9).map((n) => n === 0),
    })
    // Half of the events of other kinds carry a value.
    .map(({ value, ...rating }) => (rating.kind === '' || value === 5 ? { ...rating, value } : rating));
  const events = fc.array(event, { minLength: 20, maxLength: 60 });
  const property = fc.asyncProperty(settings, events, async (input, ratings) => {
    const parsed = plugin.config.safeParse(input);
    fc.pre(parsed.success);
    const lab = new Lab(plugin, parsed.data).teachAll(introduced);
    for (let round = 0; round < ROUNDS; round++) {
      for (const rating of ratings) {
        lab.teach(rating);
        requireSane(lab, rating, expectedMax);
      }
      if (round % REFIT_EVERY !== 0) continue;
      for await (const _ of lab.model.refit(round));
      for (const rating of ratings) requireSane(lab, rating, expectedMax);
    }
    for (const { name, rows, values } of tablesOf(lab)) {
      for (let row = 0; row < rows; row++) assert.ok(values(row).every(Number.isFinite), `${name} ${row}`);
    }
  });
  await fc.assert(property, { numRuns: Number(process.env.FC_RUNS ?? runs) });
}

function requireSane(lab: Lab, { user: id, item: other }: Rating, expectedMax: number): void {
  const expected = lab.predict(id, other);
  if (lab.model.predicts) assert.ok(Math.abs(expected) <= expectedMax, `it expects ${expected}`);
  const row = lab.userRow(id);
  const spans = [0, lab.model.items];
  const heads = Object.keys(lab.model.scorer.heads ?? {});
  for (const scores of [lab.score(row, spans), ...heads.map((head) => lab.head(head, row, spans))])
    assert.ok(scores.every(Number.isFinite), `it scores ${scores}`);
}
