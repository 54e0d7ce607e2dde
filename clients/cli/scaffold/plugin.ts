import { z } from 'zod';
import { definePlugin, f64, type Rated } from '../../../plugins/contract/index.ts';

/** Ranks items by the mean of their ratings r of weight w: (3 prior + sum w r)/(prior + sum w). */
export default definePlugin({
  name: 'my-plugin',
  summary: 'Ranks items by the mean of their ratings: a baseline.',
  stateVersion: 1,
  config: z.strictObject({
    seed: z.int().min(0).max(0xffff_ffff).default(1).describe('Every model has a seed; this one draws nothing.'),
    prior: z.number().min(0.1).max(1000).default(5).describe('How many ratings of 3 every item begins with.'),
  }),
  tables: () => ({ items: { index: 'item', columns: { sum: f64(), weight: f64() } } }) as const,
  retracts: 'exact',
  ranksStrangers: true,

  scorer({ config: { prior }, tables: { items }, memory, scores }) {
    const sumOf = items.column('sum');
    const weightOf = items.column('weight');
    const meanOf = (item: number) =>
      (3 * prior + memory.f64[sumOf(item) >>> 3]) / (prior + memory.f64[weightOf(item) >>> 3]);
    return {
      score(_query, spans, spanCount, out) {
        let at = out >>> 2;
        for (let span = 0; span < spanCount; span++) {
          for (let item = spans[2 * span]; item < spans[2 * span + 1]; item++) scores[at++] = meanOf(item);
        }
      },
      explain: (_query, item) => [{ term: 'item_mean', value: meanOf(item) }],
    };
  },

  learner({ tables: { items }, memory }) {
    const sumOf = items.column('sum');
    const weightOf = items.column('weight');
    const add = (item: number, sign: 1 | -1, { value, weight }: Rated) => {
      memory.f64[sumOf(item) >>> 3] += sign * weight * value;
      memory.f64[weightOf(item) >>> 3] += sign * weight;
    };
    return {
      learn(event) {
        if (event.previous) add(event.item, -1, event.previous);
        add(event.item, 1, event);
      },
      retract: (event) => add(event.item, -1, event),
    };
  },
});
