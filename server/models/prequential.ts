import { f64, u32 } from '../../plugins/contract/index.ts';
import type { Arena } from '../memory/arena.ts';
import type { HostKernels } from '../memory/kernels/host-kernels.ts';
import { type StateTables, Table, type TableDescriptor } from '../memory/table.ts';

/**
 * A model's live error: every first rating is predicted before it is learned (Dawid 1984; Gama 2013). Totals, and the
 * last ones of a sliding window. The learner records, all threads read. It is state like any other: what is recorded
 * depends on the events alone.
 */

/** Ranks up to this count for hit rate and NDCG. */
export const RANK_CUTOFF = 10;
/** The rank of an item that was not among those ranked: a miss. */
export const RANK_MISS = 0xffff_ffff;

const TOTALS = {
  /** How many of the ranked events had rank 1, 2, … */
  hits: f64(RANK_CUTOFF),
  /** Events of any sort that the model has learned: what its random draws are keyed by. */
  events: f64(),
  rated: f64(),
  squared: f64(),
  absolute: f64(),
  ranked: f64(),
  /** The revision at which it stopped learning because its numbers were no longer finite, or 0. */
  quarantinedAt: f64(),
};
const ERRORS = { error: f64() };
const RANKS = { rank: u32() };

export interface PrequentialDescriptor {
  readonly totals: TableDescriptor<typeof TOTALS>;
  readonly errors: TableDescriptor<typeof ERRORS>;
  readonly ranks: TableDescriptor<typeof RANKS>;
  readonly window: number;
}

/** The metrics that are counted live. */
export const METRICS = ['rmse', 'mae', `hit_rate@${RANK_CUTOFF}`, `ndcg@${RANK_CUTOFF}`] as const;
export type Metric = (typeof METRICS)[number];

export interface Figure {
  readonly metric: Metric;
  /** All events so far, or the last ones. */
  readonly window: 'total' | 'window';
  readonly value: number;
  /** How many events it is the mean of. */
  readonly count: number;
}

/** How a figure moved: of one stretch of events after the other, by its count of events up to the end of the stretch. */
export interface Curve {
  readonly metric: Metric;
  readonly points: readonly { readonly count: number; readonly value: number }[];
}

/** Of errors. */
export interface ErrorSums {
  readonly count: number;
  readonly squared: number;
  readonly absolute: number;
}

export class Prequential {
  readonly descriptor: PrequentialDescriptor;
  readonly #arena: Arena;
  readonly #totals: Table<typeof TOTALS>;
  readonly #errors: Table<typeof ERRORS>;
  readonly #ranks: Table<typeof RANKS>;
  readonly #window: number;
  readonly #word: { readonly [Name in keyof typeof TOTALS]: number };
  readonly #errorOf: (row: number) => number;
  readonly #rankOf: (row: number) => number;

  constructor(arena: Arena, descriptor: PrequentialDescriptor) {
    this.descriptor = descriptor;
    this.#arena = arena;
    this.#window = descriptor.window;
    this.#totals = new Table(arena, descriptor.totals);
    this.#errors = new Table(arena, descriptor.errors);
    this.#ranks = new Table(arena, descriptor.ranks);
    this.#errorOf = this.#errors.column('error');
    this.#rankOf = this.#ranks.column('rank');
    const word = (name: keyof typeof TOTALS) => this.#totals.column(name)(0) >>> 3;
    this.#word = {
      hits: word('hits'),
      events: word('events'),
      rated: word('rated'),
      squared: word('squared'),
      absolute: word('absolute'),
      ranked: word('ranked'),
      quarantinedAt: word('quarantinedAt'),
    };
  }

  /** `window`: how many of the last errors, and of the last ranks, the sliding figures cover. */
  static create(arena: Arena, window: number): Prequential {
    const totals = Table.create(arena, TOTALS);
    totals.grow(1);
    return new Prequential(arena, {
      totals: totals.descriptor,
      errors: Table.create(arena, ERRORS).descriptor,
      ranks: Table.create(arena, RANKS).descriptor,
      window,
    });
  }

  get events(): number {
    return this.#arena.f64[this.#word.events];
  }

  get bytes(): number {
    return this.#totals.bytes + this.#errors.bytes + this.#ranks.bytes;
  }

  /** Bytes that it may still ask for: until its windows are full. */
  growthBytes(): number {
    const left = (table: Table) => table.growthBytes(this.#window - table.rows);
    return left(this.#errors) + left(this.#ranks);
  }

  get quarantinedAt(): number {
    return this.#arena.f64[this.#word.quarantinedAt];
  }

  quarantine(revision: number): void {
    this.#totals.touch(0);
    this.#arena.f64[this.#word.quarantinedAt] = revision;
  }

  countEvent(): void {
    this.#totals.touch(0);
    this.#arena.f64[this.#word.events]++;
  }

  /** `error`: rating less prediction, both on the deployment's scale, the prediction clipped to it. */
  recordError(error: number): void {
    const { f64: doubles } = this.#arena;
    const row = doubles[this.#word.rated] % this.#window;
    if (row >= this.#errors.rows) this.#errors.grow(row + 1);
    this.#totals.touch(0);
    this.#errors.touch(row);
    doubles[this.#errorOf(row) >>> 3] = error;
    doubles[this.#word.rated]++;
    doubles[this.#word.squared] += error * error;
    doubles[this.#word.absolute] += Math.abs(error);
  }

  /** `rank`: the event's item among all items less the user's own, from 1, or RANK_MISS. */
  recordRank(rank: number): void {
    const { f64: doubles, u32: words } = this.#arena;
    const row = doubles[this.#word.ranked] % this.#window;
    if (row >= this.#ranks.rows) this.#ranks.grow(row + 1);
    this.#totals.touch(0);
    this.#ranks.touch(row);
    words[this.#rankOf(row) >>> 2] = rank;
    doubles[this.#word.ranked]++;
    if (rank <= RANK_CUTOFF) doubles[this.#word.hits + rank - 1]++;
  }

  /**
   * Makes of the errors in the window others of the same number, the same sum and the same sum of squares, without signs:
   * the figures stay, and nobody's own are left. `k` of `n` become `mean + sd sqrt((n - k) / k)`, the rest
   * `mean - sd sqrt(k / (n - k))`, which is not below 0 while `k <= (sum |e|)^2 / sum e^2`; that is never below 1.
   */
  blend(): void {
    const { count: n, squared, absolute } = this.#windowErrors();
    if (squared === 0) return;
    const k = Math.max(1, Math.floor(Math.min(n / 2, absolute ** 2 / squared)));
    const mean = absolute / n;
    const deviation = Math.sqrt(Math.max(0, squared / n - mean ** 2));
    const more = mean + deviation * Math.sqrt((n - k) / k);
    const less = n > k ? Math.max(0, mean - deviation * Math.sqrt(k / (n - k))) : 0;
    for (let row = 0; row < n; row++) {
      // Evenly spread: what goes out of the window first is like the rest.
      const isMore = Math.floor(((row + 1) * k) / n) > Math.floor((row * k) / n);
      this.#errors.touch(row);
      this.#arena.f64[this.#errorOf(row) >>> 3] = isMore ? more : less;
    }
  }

  /** All figures there are events for. */
  figures(): Figure[] {
    const doubles = this.#arena.f64;
    const { ranked, hits } = this.#word;
    const ranks = Array.from({ length: RANK_CUTOFF }, (_, i) => doubles[hits + i]);
    return [
      ...errorFigures('total', this.sums),
      ...errorFigures('window', this.#windowErrors()),
      ...rankFigures('total', ranks, doubles[ranked]),
      ...rankFigures('window', this.#windowHits(), this.#ranks.rows),
    ];
  }

  /** Of all errors so far. */
  get sums(): ErrorSums {
    const doubles = this.#arena.f64;
    const { rated, squared, absolute } = this.#word;
    return { count: doubles[rated], squared: doubles[squared], absolute: doubles[absolute] };
  }

  /** How the figures moved over the window, in at most so many stretches of equal length. */
  curves(stretches: number): Curve[] {
    const doubles = this.#arena.f64;
    const { rated, ranked } = this.#word;
    return [
      ...curvesOf(doubles[rated], this.#errors.rows, stretches, (rows) =>
        errorFigures('window', this.#windowErrors(rows)),
      ),
      ...curvesOf(doubles[ranked], this.#ranks.rows, stretches, (rows) =>
        rankFigures('window', this.#windowHits(rows), rows.length),
      ),
    ];
  }

  /** Gives its memory back, by way of `retire`. */
  drop(retire: (address: number, bytes: number) => void): void {
    for (const table of [this.#totals, this.#errors, this.#ranks]) table.drop(retire);
  }

  /** What has to be saved of it. */
  stateTables(): StateTables {
    return { totals: this.#totals, errors: this.#errors, ranks: this.#ranks };
  }

  hash(kernels: HostKernels, seed: bigint): bigint {
    return this.#ranks.hash(kernels, this.#errors.hash(kernels, this.#totals.hash(kernels, seed)));
  }

  #windowErrors(rows: Iterable<number> = Array(this.#errors.rows).keys()): ErrorSums {
    const sums = { count: 0, squared: 0, absolute: 0 };
    for (const row of rows) {
      sums.count++;
      const error = this.#arena.f64[this.#errorOf(row) >>> 3];
      sums.squared += error * error;
      sums.absolute += Math.abs(error);
    }
    return sums;
  }

  #windowHits(rows: Iterable<number> = Array(this.#ranks.rows).keys()): number[] {
    const hits = new Array<number>(RANK_CUTOFF).fill(0);
    for (const row of rows) {
      const rank = this.#arena.u32[this.#rankOf(row) >>> 2];
      if (rank >= 1 && rank <= RANK_CUTOFF) hits[rank - 1]++;
    }
    return hits;
  }
}

/** Of a ring of `rows` that has taken `count` events: the figures of its stretches, the oldest first. */
function curvesOf(
  count: number,
  rows: number,
  stretches: number,
  figuresOf: (rows: readonly number[]) => Figure[],
): Curve[] {
  const size = Math.ceil(rows / stretches);
  const points = new Map<Metric, { count: number; value: number }[]>();
  for (let from = 0; from < rows; from += size) {
    const to = Math.min(rows, from + size);
    // The oldest is the one that the next event replaces.
    const order = Array.from({ length: to - from }, (_, n) => (count + from + n) % rows);
    for (const { metric, value } of figuresOf(order)) {
      const own = points.get(metric) ?? [];
      points.set(metric, own);
      own.push({ count: count - rows + to, value });
    }
  }
  return Array.from(points, ([metric, own]) => ({ metric, points: own }));
}

/** Of a stretch with these sums; none without an event. */
export function errorFigures(window: Figure['window'], { count, squared, absolute }: ErrorSums): Figure[] {
  if (count === 0) return [];
  return [
    { metric: 'rmse', window, value: Math.sqrt(squared / count), count },
    { metric: 'mae', window, value: absolute / count, count },
  ];
}

/** One relevant item an event: NDCG = 1/log2(1 + rank) (Järvelin & Kekäläinen 2002). */
function rankFigures(window: Figure['window'], hits: readonly number[], count: number): Figure[] {
  if (count === 0) return [];
  const hit = hits.reduce((sum, n) => sum + n, 0);
  const gain = hits.reduce((sum, n, i) => sum + n / Math.log2(2 + i), 0);
  return [
    { metric: `hit_rate@${RANK_CUTOFF}`, window, value: hit / count, count },
    { metric: `ndcg@${RANK_CUTOFF}`, window, value: gain / count, count },
  ];
}
