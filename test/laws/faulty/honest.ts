import { z } from 'zod';
import {
  type Address,
  type Column,
  type Contribution,
  definePlugin,
  f32,
  type LearnContext,
  type Learner,
  NO_ROW,
  type RatingEvent,
  type ReadTables,
  type RefitContext,
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
export type HonestRefitting = RefitContext<Config, HonestTables, unknown>;

const honest = definePlugin({
  name: 'honest',
  summary: 'Two factors, learned online.',
  stateVersion: 1,
  config,
  tables: (): HonestTables => tables,
  retracts: 'approximate',
  scorer,
  learner,
  refit,
});

export default honest;

/** Another plugin, whose scorer differs. */
export function withScorer(name: string, change: (inner: Required<Scorer>, context: HonestScoring) => Partial<Scorer>) {
  const changed = (context: HonestScoring) => {
    const inner = scorer(context);
    return { ...inner, ...change(inner, context) };
  };
  return definePlugin({ ...honest, name, scorer: changed });
}

/** Another plugin, whose refit differs. */
export function withRefit(
  name: string,
  change: (context: HonestRefitting) => Iterable<number> | AsyncIterable<number>,
) {
  return definePlugin({ ...honest, name, refit: change });
}

export function scorer({ tables, memory, history, scores, scratch }: HonestScoring): Required<Scorer> {
  const mean = scratch(4);
  const predict = predictor(tables, memory.f32);
  const likeness = product(tables.items.column('vector'), tables.items.column('vector'), memory.f32);

  /** Scores what is asked, one item at a time. */
  function each(spans: Uint32Array, spanCount: number, out: Address, scoreOf: (row: number) => number): void {
    let at = out >>> 2;
    for (let span = 0; span < spanCount; span++) {
      for (let row = spans[2 * span]; row < spans[2 * span + 1]; row++) scores[at++] = scoreOf(row);
    }
  }

  return {
    predict: ({ user }, item) => predict(user, item),
    score: ({ user }, ...[spans, spanCount, out]) => each(spans, spanCount, out, (row) => predict(user, row)),
    similar: (item, ...[spans, spanCount, out]) =>
      each(spans, spanCount, out, (row) => (item === NO_ROW ? 0 : likeness(item, row))),
    // The ratings of a user are in its vector, one and all: to leave some out takes a retraction.
    without: ({ user }, _rated, ...[spans, spanCount, out]) => each(spans, spanCount, out, (row) => predict(user, row)),
    session: ({ items }, ...[spans, spanCount, out]) =>
      each(spans, spanCount, out, (row) => items.reduce((sum, item) => sum + likeness(item, row), 0)),
    heads: {
      nearest: ({ user }, ...[spans, spanCount, out]) =>
        each(spans, spanCount, out, (row) => -Math.abs(predict(user, row) - 5)),
    },
    drifts: () => [],
    explores: { by: 'epsilon', epsilon: 0.1 },
    vectors: { width: K, of: tables.items.column('vector') },
    factors: {
      width: K,
      ofUser({ user }) {
        scores[mean >>> 2] = 3;
        return user === NO_ROW ? undefined : tables.users.column('vector')(user);
      },
      ofItem: tables.items.column('vector'),
      biasOf: () => mean,
    },
    explain({ user }, item) {
      const taste = predict(user, item) - 3;
      const count = history.userCount(user);
      // The latest rating is given all the credit.
      const credit: Contribution =
        count > 0
          ? { item: history.item(history.ofUser(user, count - 1)), value: taste }
          : { term: 'taste', value: taste };
      const parts = [credit, { term: 'mean', value: 3 }];
      return parts.sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
    },
  };
}

/** Steps of one of two rows toward a rating. */
function stepper({ tables, memory, history }: Pick<HonestLearning, 'tables' | 'memory' | 'history'>) {
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
  return { ofUser, ofItem, again };
}

/** Each rating ten times, beginning anywhere. */
export function* refit(context: HonestRefitting): Generator<number, void, void> {
  const { history, random } = context;
  const { ofUser, ofItem, again } = stepper(context);
  const whole = 10 * history.rows;
  const first = random.below(history.rows);
  for (let n = 0; n < whole; n++) {
    if (n % 100 === 0) yield n / whole;
    const row = (first + n) % history.rows;
    if (history.weight(row) === 0) continue;
    again(ofUser, row);
    again(ofItem, row);
  }
  yield 1;
}

export function learner(context: HonestLearning): Learner {
  const { history, random, reset } = context;
  const { ofUser, ofItem, again } = stepper(context);
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

export function predictor(tables: ReadTables<HonestTables>, floats: Floats) {
  const taste = product(tables.users.column('vector'), tables.items.column('vector'), floats);
  return (user: number, item: number): number => (user === NO_ROW || item === NO_ROW ? 3 : 3 + taste(user, item));
}

type Floats = { readonly [index: number]: number };

/** <p, q> of two rows. */
function product(p: Column, q: Column, floats: Floats) {
  return (one: number, other: number): number => {
    const [a, b] = [p(one) >>> 2, q(other) >>> 2];
    return floats[a] * floats[b] + floats[a + 1] * floats[b + 1];
  };
}
