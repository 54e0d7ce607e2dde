import { NO_ROW, type RefitContext } from '../../contract/index.ts';
import type { MfConfig } from '../config.ts';
import type { MfKernels } from '../kernels.ts';
import { placing } from '../standing.ts';
import type { MfTables } from '../tables.ts';
import { Lessons } from './lessons.ts';
import { AGAINST, FOR, type Side } from './trials.ts';

type Context = RefitContext<MfConfig, MfTables, MfKernels>;

/** From one yield to the next go so many products of vectors that it takes about 10 ms. */
const PACE = 2 ** 21;

/**
 * All rows begin anew and learn what is live, `epochs` times, each time in another order, with the steps of learning; the items
 * that are drawn learn too, whatever the scope. Of what was taken back nothing is left. Without epochs nothing changes.
 */
export function* feedbackRefit(context: Context): Generator<number, void, void> {
  const { config, items, random } = context;
  const { epochs } = config.refit;
  const lessons = new Lessons(context, 'full');
  const pace = Math.ceil(PACE / ((config.k + 32) * (config.feedback.negatives + 1)));
  const live = yield* liveTrials(context, lessons);
  const steps = Math.max(1, epochs * live.order.length);
  if (epochs > 0) yield* whole(forget(context, lessons, live));
  const { order } = live;
  const chosen = order.filter((trial) => live.side[trial] === FOR);
  lessons.draws.chosen = (part) => (chosen.length === 0 ? NO_ROW : live.item[chosen[Math.floor(part * chosen.length)]]);
  try {
    for (let done = 0, n = 0; done < epochs * order.length; done++, n = (n + 1) % order.length) {
      if (done % pace === 0) yield done / steps;
      const trial = random.take(order, n);
      lessons.learn(live.user[trial], live.item[trial], live.side[trial] as Side, live.weight[trial]);
    }
    // As much as one pass would have left: the steps that follow are those of a model that goes on.
    if (epochs > 1) settle(context, 1 / epochs);
    yield 1;
  } finally {
    const place = placing(context);
    for (let item = 0; item < items; item++) place(item);
  }
}

interface LiveTrials {
  readonly user: Uint32Array;
  readonly item: Uint32Array;
  readonly side: Int8Array;
  readonly weight: Float64Array;
  /** Their numbers. */
  readonly order: Uint32Array;
}

const USERS_PACE = 256;

function* liveTrials({ history, events, users }: Context, { trials }: Lessons): Generator<number, LiveTrials, void> {
  const most = history.rows + events.rows;
  const user = new Uint32Array(most);
  const item = new Uint32Array(most);
  const side = new Int8Array(most);
  const weight = new Float64Array(most);
  let count = 0;
  for (let row = 0; row < users; row++) {
    if (row % USERS_PACE === 0) yield 0;
    for (const trial of trials.ofUser(row, Number.POSITIVE_INFINITY)) {
      user[count] = row;
      item[count] = trial.item;
      side[count] = trial.side;
      weight[count++] = trial.weight;
    }
  }
  const order = Uint32Array.from({ length: count }, (_, n) => n);
  return { user, item, side, weight, order };
}

/** What it does is done to its end, also when it is left off: half of it would leave counts that are not those of what is live. */
function* whole(work: Iterator<number, void>): Generator<number, void, void> {
  let step = work.next();
  try {
    for (; !step.done; step = work.next()) yield step.value;
  } finally {
    while (!step.done) step = work.next();
  }
}

const ROWS_PACE = 4096;

/** All rows as they began, and lists and counts as the live trials have them. */
function* forget(
  { reset, users, items, memory, tables, events }: Context,
  lessons: Lessons,
  { order, item, side }: LiveTrials,
): Generator<number, void, void> {
  const { counters } = tables;
  for (const name of ['bias', 'biasSquares']) memory.f32[counters.column(name)(0) >>> 2] = 0;
  for (let row = 0; row < Math.max(users, items); row++) {
    if (row % ROWS_PACE === 0) yield 0;
    if (row < users) reset('users', row);
    if (row < items) {
      reset('items', row);
      reset('rated', row);
    }
  }
  memory.u32[counters.column('rated')(0) >>> 2] = 0;
  let exposures = 0;
  for (let row = 0; row < events.rows; row++) {
    if (row % ROWS_PACE === 0) yield 0;
    if (lessons.trials.ofEventRow(row) === AGAINST) exposures++;
  }
  memory.u32[counters.column('exposures')(0) >>> 2] = exposures;
  for (let n = 0; n < order.length; n++) {
    if (n % ROWS_PACE === 0) yield 0;
    if (side[order[n]] === FOR) lessons.count(item[order[n]], 1);
  }
}

/** Multiplies what is kept of the squares of gradients. */
function settle({ config, tables, memory, users, items }: Context, part: number): void {
  const scale = (table: Context['tables']['users'], column: string, rows: number) => {
    const at = table.column(column);
    for (let row = 0; row < rows; row++) memory.f32[at(row) >>> 2] *= part;
  };
  if (config.k > 0) {
    scale(tables.users, 'squares', users);
    scale(tables.items, 'squares', items);
  }
  scale(tables.items, 'biasSquares', items);
  scale(tables.counters, 'biasSquares', 1);
  if (config.objective === 'logistic') scale(tables.users, 'biasSquares', users);
}
