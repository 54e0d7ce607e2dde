import { isMainThread } from 'node:worker_threads';
import { z } from 'zod';
import { definePlugin, f64 } from '../../../plugins/contract/index.ts';

/** Learns, and cannot be made where calls are answered. */

export default definePlugin({
  name: 'one-sided',
  summary: 'Has no scorer in the main thread, for tests.',
  stateVersion: 1,
  config: z.strictObject({ seed: z.int().default(1) }),
  tables: () => ({ users: { index: 'user', columns: { count: f64() } } }) as const,
  retracts: 'none',
  scorer() {
    if (isMainThread) throw new Error('it has no scorer here');
    return { score: () => {} };
  },
  learner({ tables, memory }) {
    const count = tables.users.column('count');
    return {
      learn({ user }) {
        memory.f64[count(user) >>> 3]++;
      },
    };
  },
});
