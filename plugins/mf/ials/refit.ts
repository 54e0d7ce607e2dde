import { NO_ROW, type RefitContext } from '../../contract/index.ts';
import type { MfConfig } from '../config.ts';
import { Trials } from '../feedback/trials.ts';
import type { MfKernels } from '../kernels.ts';
import type { MfTables } from '../tables.ts';
import { type Half, Rows } from './rows.ts';
import { weighingBy } from './weighing.ts';

type Context = RefitContext<MfConfig, MfTables, MfKernels>;

/** From one yield to the next go so many products of numbers that it takes about 10 ms. */
const PACE = 5e6;
/** So many of them take as long as it takes to visit a positive. */
const VISIT = 64;

/**
 * Alternating least squares (Hu, Koren & Volinsky 2008): all users are solved by the items as they are, then all items by the
 * users, `epochs` times, each from all of its positives. Counts are made anew at the beginning, and S whenever the rows of its
 * side were solved: so nothing that rounding left there stays.
 */
export function* ialsRefit(context: Context): Generator<number, void, void> {
  const { config, users, items } = context;
  const rows = new Rows(context, weighingBy(new Trials(context), context));
  const sides: readonly Side[] = [
    { half: rows.users, rows: users },
    { half: rows.items, rows: items },
  ];
  const stale = new Set(sides);
  try {
    const total = yield* count(context, rows, sides);
    yield* renew(rows, sides[1], 0);
    const share = 1 / Math.max(1, 2 * config.refit.epochs);
    for (let n = 0; n < 2 * config.refit.epochs; n++) {
      const side = sides[n % 2];
      stale.add(side);
      for (const part of solveAll(context, rows, side, total)) yield Math.min(1, (n + part) * share);
      yield* renew(rows, side, Math.min(1, (n + 1) * share));
      stale.delete(side);
    }
    if (config.refit.epochs > 0) yield 1;
  } finally {
    for (const side of stale) for (const _ of renew(rows, side, 0));
    for (let item = 0; item < items; item++) rows.place(item);
  }
  if (config.refit.epochs === 0) yield 1;
}

interface Side {
  readonly half: Half;
  readonly rows: number;
}

/** Solves the rows of a side that have positives; yields the share that is done. */
function* solveAll({ memory, config }: Context, rows: Rows, side: Side, total: number): Generator<number, void, void> {
  const whole = total + side.rows;
  let [done, spent] = [0, 0];
  for (let row = 0; row < side.rows; row++) {
    const positives = memory.u32[side.half.countOf(row)];
    if (positives > 0) {
      rows.solve(side.half, row, Number.POSITIVE_INFINITY, NO_ROW);
      spent += config.k ** 2 * (positives + config.k / 3) + VISIT * positives;
    }
    done += positives + 1;
    spent += VISIT;
    if (spent < PACE) continue;
    spent = 0;
    yield done / whole;
  }
}

/** Makes S of a side anew. */
function* renew(rows: Rows, { half, rows: most }: Side, share: number): Generator<number, void, void> {
  rows.clear(half);
  for (let row = 0; row < most; row++) {
    rows.join(half, row);
    if (row % RENEWED === RENEWED - 1) yield share;
  }
}

const RENEWED = 8192;

/** Counts the live positives of all rows; those without any begin anew. Returns how many there are. */
function* count({ memory, reset }: Context, rows: Rows, sides: readonly Side[]): Generator<number, number, void> {
  let [total, spent] = [0, 0];
  for (const { half, rows: most } of sides) {
    for (let row = 0; row < most; row++) {
      let positives = 0;
      rows.positives.visit(half.name, row, Number.POSITIVE_INFINITY, NO_ROW, () => positives++);
      if (positives === 0) reset(half.name, row);
      memory.u32[half.countOf(row)] = positives;
      total += positives;
      spent += VISIT * (positives + 1);
      if (spent < PACE) continue;
      spent = 0;
      yield 0;
    }
  }
  return total / 2;
}
