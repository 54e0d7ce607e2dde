import type { Rated } from '../contract/index.ts';
import type { Context, Refit } from './context.ts';
import { fitEase } from './ease.ts';
import { NeighbourLearner } from './learner.ts';
import { arrivals, Past } from './past.ts';

/** Between two yields. */
const EVENTS = 1000;
/** The part that the stream takes, where there is more to do. */
const STREAM_SHARE = 0.5;

/**
 * Learns all live ratings again, as if they came now for the first time, in the order in which they came, from nothing: what
 * is left then is what it would be had nothing ever been edited or taken back, as long as no row was full. Then `ease`, where
 * there is one.
 */
export function* refit(context: Refit): Generator<number, void, void> {
  const { config, history, users, items } = context;
  const rows = yield* counted(arrivals(history), 0);
  clear(context);
  const past = new Past(history, users, items);
  const whole: Context = { ...context, history: past, touch: () => {}, tell: () => {} };
  const learner = new NeighbourLearner(whole);
  const share = config.ease.items > 0 ? STREAM_SHARE : 1;
  try {
    for (const [n, row] of rows.entries()) {
      if (n % EVENTS === 0) yield (share * n) / rows.length;
      const [user, item, order] = [history.user(row), history.item(row), history.order(row)];
      learner.learn({ ...ratedOf(context, row), user, item, order, previous: undefined, revision: 0 });
      past.add(row);
    }
  } finally {
    // Left off or not: what counts all live ratings is right, so that any of them can be taken back.
    const learned = new NeighbourLearner({ ...context, touch: () => {}, tell: () => {} });
    learned.recount(rows, items, (row) => ratedOf(context, row));
  }
  if (config.ease.items > 0) yield* fitEase(context, share);
  yield 1;
}

function* counted<Result>(steps: Generator<void, Result, void>, share: number): Generator<number, Result, void> {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    yield share;
  }
}

function ratedOf({ history }: Pick<Refit, 'history'>, row: number): Rated {
  return { value: history.value(row), weight: history.weight(row), time: history.time(row) };
}

/** Rows of pairs stay with their items: they are empty then. */
function clear({ tables, memory, users, items, reset }: Refit): void {
  const { pairs, model } = tables;
  const itemBias = tables.items.column('bias');
  for (let user = 0; user < users; user++) reset('users', user);
  for (let item = 0; item < items; item++) {
    memory.f64[itemBias(item) >>> 3] = 0;
    reset('transitions', item);
    reset('fast', item);
  }
  const keyOf = pairs.column('key');
  for (let row = 0; row < pairs.rows; row++) memory.u32.fill(0, keyOf(row) >>> 2, (keyOf(row) + pairs.stride) >>> 2);
  for (const name of ['sum', 'weight'] as const) memory.f64[model.column(name)(0) >>> 3] = 0;
}
