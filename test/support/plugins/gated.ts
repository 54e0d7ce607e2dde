import { existsSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { definePlugin, f64 } from '../../../plugins/contract/index.ts';

/** Learns a rating of weight 10 only when a file exists, or its folder does not: so a test holds the learner. */

const WAIT_MS = 5;
const sleeping = new Int32Array(new SharedArrayBuffer(4));

const isShut = (gate: string) => existsSync(dirname(gate)) && !existsSync(gate);

export default definePlugin({
  name: 'gated',
  summary: 'Waits for a file, for tests.',
  stateVersion: 1,
  config: z.strictObject({ seed: z.int().default(1), gate: z.string() }),
  tables: () => ({ model: { index: 'model', columns: { learned: f64() } } }) as const,
  retracts: 'none',
  ranksStrangers: true,
  scorer: ({ scores }) => ({
    score(_query, spans, spanCount, out) {
      let at = out >>> 2;
      for (let span = 0; span < spanCount; span++) {
        for (let row = spans[2 * span]; row < spans[2 * span + 1]; row++) scores[at++] = row;
      }
    },
  }),
  learner: ({ config, tables, memory }) => ({
    learn({ weight }) {
      if (weight === 10 && isShut(config.gate)) writeFileSync(`${config.gate}.held`, '');
      while (weight === 10 && isShut(config.gate)) Atomics.wait(sleeping, 0, 0, WAIT_MS);
      memory.f64[tables.model.column('learned')(0) >>> 3]++;
    },
  }),
});
