import { z } from 'zod';
import { definePlugin, f64 } from '../../../plugins/contract/index.ts';

/**
 * Expects the mean of what its inputs expect, ranks by the sum of their scores, and sums up what the inputs expected of all
 * ratings: so its one number says of every rating which inputs there were, and in which state.
 */
export default definePlugin({
  name: 'blending',
  summary: 'The mean of other models, for tests.',
  stateVersion: 1,
  config: z.strictObject({
    seed: z.int().default(1),
    inputs: z.array(z.string()).default([]),
    /** What is added to what it expects. */
    shift: z.number().default(0),
  }),
  inputs: ({ inputs }) => inputs,
  tables: () => ({ model: { index: 'model', columns: { sum: f64(), answers: f64() } } }) as const,
  retracts: 'none',
  ranksStrangers: true,
  scorer: ({ config: { shift }, inputs, memory, scores }) => ({
    score(query, spans, spanCount, out) {
      const start = out >>> 2;
      let count = 0;
      for (let span = 0; span < spanCount; span++) count += spans[2 * span + 1] - spans[2 * span];
      const sum = new Float32Array(count);
      for (const input of inputs) {
        if (!input.score('', query, spans, spanCount, out)) continue;
        for (let n = 0; n < count; n++) sum[n] += memory.f32[start + n];
      }
      scores.set(sum, start);
    },
    predict(query, item) {
      const expected = inputs.map((input) => input.predict(query, item)).filter((value) => !Number.isNaN(value));
      return shift + (expected.length === 0 ? 3 : expected.reduce((sum, value) => sum + value) / expected.length);
    },
  }),
  learner: ({ inputs, tables: { model }, memory }) => {
    const sum = model.column('sum')(0) >>> 3;
    const answers = model.column('answers')(0) >>> 3;
    return {
      learn({ user, item, time, previous }) {
        if (previous) return;
        for (const input of inputs) {
          const value = input.predict({ user, time }, item);
          if (Number.isNaN(value)) continue;
          memory.f64[sum] += value;
          memory.f64[answers]++;
        }
      },
    };
  },
});
