import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { workerData } from 'node:worker_threads';
import { z } from 'zod';
import { definePlugin, f64, NO_ROW } from '../../../plugins/contract/index.ts';

/**
 * Expects of every user the mean of their ratings, and a shift besides, which a refit changes: so it makes the model better
 * or worse by a known amount. It waits where a test says so (see ../holds.ts), in the threads of jobs alone: at a rating of
 * a certain weight, and in a refit.
 */

const WAIT_MS = 5;
const HELD_WEIGHT = 9;
/** It needs none: tests see whether it is given back. */
const SCRATCH_BYTES = 64 * 1024;
const sleeping = new Int32Array(new SharedArrayBuffer(4));

/** `fuse` or `rollback`, in the thread of such a job. */
const { kind } = (workerData ?? {}) as { kind?: string };

/** `number`: what the file has to say. */
function isShut(holds: string, point: string, number = 0): boolean {
  const path = join(holds, point);
  if (holds === '' || !kind || readNumber(path) !== number) return false;
  writeFileSync(`${path}.held`, '');
  return true;
}

/** Undefined: there is no such file, or the test has just removed it. */
function readNumber(path: string): number | undefined {
  try {
    return Number(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

export default definePlugin({
  name: 'refitting',
  summary: 'The mean of the ratings of a user and a shift, for tests.',
  /** A test raises it, or the width of `shift`, between two starts. */
  stateVersion: Number(process.env.TEST_STATE_VERSION ?? 1),
  config: z.strictObject({
    seed: z.int().default(1),
    /** The shift at first, and what a refit adds to it. */
    start: z.number().default(0),
    gain: z.number().default(0),
    holds: z.string().default(''),
  }),
  tables: () =>
    ({
      users: { index: 'user', columns: { sum: f64(), count: f64() } },
      model: { index: 'model', columns: { shift: f64(Number(process.env.TEST_SHIFT_WIDTH ?? 1)) } },
    }) as const,
  retracts: 'none',
  ranksStrangers: true,
  scorer: ({ config, tables: { users, model }, memory, scores, scratch }) => {
    scratch(SCRATCH_BYTES);
    const sum = users.column('sum');
    const count = users.column('count');
    const shift = model.column('shift')(0) >>> 3;
    return {
      score(_query, spans, spanCount, out) {
        let at = out >>> 2;
        for (let span = 0; span < spanCount; span++)
          for (let row = spans[2 * span]; row < spans[2 * span + 1]; row++) scores[at++] = row;
      },
      predict({ user }) {
        const rated = user === NO_ROW ? 0 : memory.f64[count(user) >>> 3];
        const mean = rated === 0 ? 3 : memory.f64[sum(user) >>> 3] / rated;
        return mean + config.start + memory.f64[shift];
      },
    };
  },
  learner: ({ config, tables: { users }, memory, scratch }) => {
    scratch(SCRATCH_BYTES);
    const sum = users.column('sum');
    const count = users.column('count');
    return {
      learn({ user, value, weight }) {
        while (weight > HELD_WEIGHT && isShut(config.holds, 'learn', weight)) Atomics.wait(sleeping, 0, 0, WAIT_MS);
        memory.f64[sum(user) >>> 3] += value;
        memory.f64[count(user) >>> 3]++;
      },
    };
  },
  *refit({ config, tables: { model }, memory }) {
    while (isShut(config.holds, 'refit')) {
      Atomics.wait(sleeping, 0, 0, WAIT_MS);
      yield 0.5;
    }
    memory.f64[model.column('shift')(0) >>> 3] += config.gain;
    yield 1;
  },
});
