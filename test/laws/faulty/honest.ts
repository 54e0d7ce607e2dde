import { z } from 'zod';
import {
  type Address,
  definePlugin,
  f32,
  type LearnContext,
  type Learner,
  NO_ROW,
  type RatingEvent,
  type ReadTables,
  type ScoreContext,
  type Scorer,
} from '../../../plugins/contract/index.ts';

/** A small plugin that keeps every law: r^ = 3 + <p, q> of two factors. The faulty ones differ from it in one thing. */

const K = 2;
const RATE = 0.3;

const config = z.strictObject({ seed: z.int().min(0).max(9).default(1).meta({ description: 'Of all draws.' }) });
type Config = z.infer<typeof config>;

const tables = {
  users: { index: 'user', columns: { vector: f32(K, 0.3) } },
  items: { index: 'item', columns: { vector: f32(K, 0.3) } },
} as const;

export type HonestTables = typeof tables;
export type HonestScoring = ScoreContext<Config, HonestTables, unknown>;
export type HonestLearning = LearnContext<Config, HonestTables, unknown>;

export default definePlugin({
  name: 'honest',
  summary: 'Two factors, learned online.',
  stateVersion: 1,
  config,
  tables: (): HonestTables => tables,
  retracts: 'approximate',
  scorer,
  learner,
});

export function scorer(context: HonestScoring): Scorer {
  const { scores } = context;
  const predict = predictor(context.tables, context.memory.f32);
  return {
    predict,
    score({ user }, spans, spanCount, out) {
      let at = out >>> 2;
      for (let span = 0; span < spanCount; span++) {
        for (let row = spans[2 * span]; row < spans[2 * span + 1]; row++) scores[at++] = predict(user, row);
      }
    },
  };
}

export function learner({ tables, memory, history, random, reset }: HonestLearning): Learner {
  const { f32: floats } = memory;
  const { users, items } = tables;
  const predict = predictor(tables, floats);

  /** A step of one vector by the share of the error that the other's length allows. */
  function step(row: Address, other: Address, error: number, weight: number): void {
    const [a, b] = [row >>> 2, other >>> 2];
    const square = floats[b] ** 2 + floats[b + 1] ** 2;
    const rate = (RATE * Math.min(1, weight)) / (1 + square);
    for (let f = 0; f < K; f++) floats[a + f] += rate * error * floats[b + f];
  }

  const ofUser = (user: number, item: number, value: number, weight: number) =>
    step(users.column('vector')(user), items.column('vector')(item), value - predict(user, item), weight);
  const ofItem = (user: number, item: number, value: number, weight: number) =>
    step(items.column('vector')(item), users.column('vector')(user), value - predict(user, item), weight);
  /** Teaches a past rating to one of its two rows. */
  const again = (one: typeof ofUser, row: number) =>
    one(history.user(row), history.item(row), history.value(row), history.weight(row));

  return {
    learn({ user, item, value, weight }: RatingEvent) {
      ofUser(user, item, value, weight);
      ofItem(user, item, value, weight);
      const past = history.userCount(user);
      if (past === 0) return;
      const row = history.ofUser(user, random.below(past));
      if (history.item(row) !== item) again(ofUser, row);
    },
    retract({ user, item }: RatingEvent) {
      reset('users', user);
      reset('items', item);
      for (let n = 0; n < history.userCount(user); n++) again(ofUser, history.ofUser(user, n));
      for (let n = 0; n < history.itemCount(item); n++) again(ofItem, history.ofItem(item, n));
    },
  };
}

export function predictor(tables: ReadTables<HonestTables>, floats: { readonly [index: number]: number }) {
  const p = tables.users.column('vector');
  const q = tables.items.column('vector');
  return (user: number, item: number): number => {
    if (user === NO_ROW || item === NO_ROW) return 3;
    const [a, b] = [p(user) >>> 2, q(item) >>> 2];
    return 3 + floats[a] * floats[b] + floats[a + 1] * floats[b + 1];
  };
}
