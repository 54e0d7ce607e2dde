import {
  COUNT,
  definePlugin,
  f32,
  factors,
  meaningsOf,
  type SettleContext,
  u32,
} from '../../../plugins/contract/index.ts';
import { type HonestLearning, type HonestRefitting, type HonestScoring, default as honest, learner } from './honest.ts';

const TABLES = {
  users: { index: 'user', columns: { vector: f32(2, 0.3), ratings: u32() } },
  items: { index: 'item', columns: { vector: f32(2, 0.3), ratings: u32() } },
} as const;

/** Counts ratings, and puts nothing right but harm when it was fused. */
export default definePlugin({
  ...honest,
  name: 'fusion-careless',
  tables: () => TABLES,
  scorer: (context) => honest.scorer(context as unknown as HonestScoring),
  refit: (context) =>
    (honest.refit as (context: HonestRefitting) => Iterable<number>)(context as unknown as HonestRefitting),
  learner: (context) => {
    const inner = learner(context as unknown as HonestLearning);
    const { memory, history, tables } = context;
    const count = (user: number, item: number, more: number) => {
      memory.u32[tables.users.column('ratings')(user) >>> 2] = history.userCount(user) + more;
      memory.u32[tables.items.column('ratings')(item) >>> 2] = history.itemCount(item) + more;
    };
    return {
      learn(event) {
        inner.learn(event);
        count(event.user, event.item, event.previous ? 0 : 1);
      },
      retract(event) {
        inner.retract?.(event);
        count(event.user, event.item, 0);
      },
    };
  },
  fusion: () => ({
    columns: {
      ...meaningsOf('users', { vector: factors('taste', 'left', 'users.ratings'), ratings: COUNT }),
      ...meaningsOf('items', { vector: factors('taste', 'right', 'items.ratings'), ratings: COUNT }),
    },
    settle({ tables, memory, items }: SettleContext<unknown, typeof TABLES, unknown>) {
      for (let item = 0; item < items; item++) memory.f32[tables.items.column('vector')(item) >>> 2] *= 2;
    },
  }),
});

export const breaks = ['a model that is averaged with itself says what it said'];
