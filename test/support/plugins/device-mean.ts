import { z } from 'zod';
import { definePlugin, f64 } from '../../../plugins/contract/index.ts';

/** Expects the mean of all ratings, which a refit computes on its device; before it, 3. */
export default definePlugin({
  name: 'device-mean',
  summary: 'The mean of all ratings, computed on a device, for tests.',
  stateVersion: 1,
  config: z.strictObject({
    seed: z.int().default(1),
    /** What a refit uploads besides, to be too large. */
    spareMiB: z.int().default(0),
  }),
  tables: () => ({ model: { index: 'model', columns: { mean: f64() } } }) as const,
  retracts: 'none',
  ranksStrangers: true,
  scorer: ({ tables: { model }, memory, scores }) => ({
    score(_query, spans, spanCount, out) {
      let at = out >>> 2;
      for (let span = 0; span < spanCount; span++)
        for (let row = spans[2 * span]; row < spans[2 * span + 1]; row++) scores[at++] = row;
    },
    predict: () => memory.f64[model.column('mean')(0) >>> 3] || 3,
  }),
  learner: () => ({ learn() {} }),
  async *refit({ config, tables: { model }, memory, history, device }) {
    const live = Array.from({ length: history.rows }, (_, row) => row).filter((row) => history.weight(row) > 0);
    const values = Float32Array.from(live, (row) => history.value(row));
    yield 0.1;
    const mean = await device.run(async (on) => {
      if (config.spareMiB > 0) on.fill(config.spareMiB, 2 ** 18, 0);
      const sum = on.sum(on.upload(values, values.length, 1), 'rows');
      const [mean] = await on.read(on.affine(sum, 1 / values.length));
      return mean;
    });
    memory.f64[model.column('mean')(0) >>> 3] = mean;
    yield 1;
  },
});
