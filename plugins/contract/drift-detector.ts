import type { Memory, WritableAddress, WritableMemory } from './address.ts';
import { DRIFTS_KEPT, type Drift } from './drift.ts';
import type { RatingEvent } from './plugin.ts';
import { type ColumnSpecs, f64, type Table, u32 } from './tables.ts';

/**
 * Drift: what was learned of users and items holds no longer. Page's test (Page 1954; Gama et al. 2014) on prequential errors,
 * normalised by the user's position: those of new users are larger, and that is no drift. For an error e of a user with n
 * ratings, of which k came since the block began, on an item whose errors of late were q:
 *
 *     g = e/sqrt(v_b), b = floor(log2(1 + n))        v_b: mean of e² at this position so far
 *     z = min(4, g²) + 3 g q                          then q += (g - q)/2; here g is bounded by 2.5
 *     y = sum z/sqrt(1 + k) / sum 1/sqrt(1 + k)       of a block of 128 first ratings: no user alone is drift
 *     S = max(0, S + min(4, (y - m)/s) - 1)           m, s: mean and deviation of y over the blocks before
 *
 * Errors that a model could not have known are of any sign, so without drift g q is 0 on average, whoever is hard to predict
 * (whiteness of innovations: Mehra 1970); where items changed, it is not. Drift is detected when S exceeds the threshold; it
 * began with the block in which S left 0. Then m and s begin anew, of at least 128 blocks. s is of this stream, so one
 * threshold suits all of them. An edit is no new evidence; a retraction takes none back, as in the live figures, but for q.
 *
 * Of items that moved by d, in roots of v, each its own way, a rating has d² more of g², and of g q as much as q knows of d
 * by then: nothing at the first rating, more and more later, here a quarter. So d² is about (y since - m)/(1 + 3/4).
 */

const POSITIONS = 16;
/** A mean of so many ratings forgets: models get better. */
const POSITION_MEMORY = 20_000;
const SQUARE_MAX = 16;
const SQUARE_MIN = 1e-6;
const RATIO_MAX = 4;
const BLOCK = 128;
const BLOCKS_MIN = 128;
const BLOCKS_MEMORY = 400;
/** Before, a deviation says nothing of what is too far off. */
const BLOCKS_TRIMMED = 16;
const OFF_MAX = 4;
const SLACK = 1;
const ERROR_MAX = 2.5;
const COHERENCE = 3;
const LATE_STEP = 0.5;
/** How much of d q knows on average while drift is suspected: most items are rated once or twice until then. */
const KNOWN = 0.25;
const DEVIATION_MIN = 1e-3;
const BLOCKS_NUMBERED = 2 ** 31;
const RECORD = ['number', 'revision', 'time', 'ratings', 'statistic', 'threshold', 'before', 'after'] as const;

const COLUMNS = {
  /** v_b, and of how many ratings. */
  means: f64(POSITIONS),
  counts: f64(POSITIONS),
  /** Of the block: the sums, how many ratings, and its number. */
  sum: f64(),
  weight: f64(),
  ratings: f64(),
  block: f64(),
  /** m, s² and of how many blocks. */
  mean: f64(),
  variance: f64(),
  blocks: f64(),
  /** S, the blocks since it left 0, and the sum of their y. */
  statistic: f64(),
  suspect: f64(),
  suspectSum: f64(),
  /** How many drifts there were; of the last one its stretch, and d²; and what the latest were found by. */
  count: f64(),
  began: f64(),
  moved: f64(),
  records: f64(DRIFTS_KEPT * RECORD.length),
} as const satisfies ColumnSpecs;

type Column = keyof typeof COLUMNS;

/** The table in which a detector keeps its state: one of the plugin's. */
export const driftTable = { index: 'model', columns: COLUMNS } as const;

/** What it keeps of every user, in a table of the plugin's users: the block of the last rating, and how many are in that. */
export const driftUser = { driftBlock: u32(), driftMet: u32() } as const;
/** And of every item: q. */
export const driftItem = { driftErrors: f64() } as const;

type DriftTable = Table<typeof COLUMNS>;
type Writable<Columns extends ColumnSpecs> = Table<Columns, WritableAddress>;

/** A plugin's tables, as far as a detector writes them. */
export interface WatchedTables {
  readonly drift: Writable<typeof COLUMNS>;
  readonly users: Pick<Writable<typeof driftUser>, 'column'>;
  readonly items: Pick<Writable<typeof driftItem>, 'column'>;
}

/** What is known of drift, as any thread reads it. */
export class DriftReader {
  protected readonly at: Readonly<Record<Column, number>>;
  readonly #doubles: Memory['f64'];
  readonly #action: string;

  /** `action`: what its model does about drift. */
  constructor(table: DriftTable, memory: Memory, action: string) {
    const places = Object.keys(COLUMNS).map((name) => [name, table.column(name as Column)(0) >>> 3]);
    this.at = Object.fromEntries(places) as Record<Column, number>;
    this.#doubles = memory.f64;
    this.#action = action;
  }

  /** How often drift was detected. */
  get count(): number {
    return this.#doubles[this.at.count];
  }

  /**
   * Which stretch the ratings at hand are of: one begins with each block before which nothing is suspected. What the last
   * drift was suspected by are the ratings of its stretch.
   */
  get stretch(): number {
    const { at } = this;
    const block = this.#doubles[at.block];
    return block - (this.#doubles[at.statistic] > 0 ? this.#doubles[at.suspect] : 0);
  }

  /** That of the last drift. */
  get driftStretch(): number {
    return this.#doubles[this.at.began];
  }

  /** The mean square of how far items have moved with the last drift, d². */
  get moved(): number {
    return this.#doubles[this.at.moved];
  }

  /** The latest findings, the last one first. */
  get findings(): Drift[] {
    const { count } = this;
    return Array.from({ length: Math.min(count, DRIFTS_KEPT) }, (_, n) => {
      const start = this.at.records + ((count - 1 - n) % DRIFTS_KEPT) * RECORD.length;
      const figures = RECORD.map((name, i) => [name, this.#doubles[start + i]]);
      return { ...Object.fromEntries(figures), action: this.#action } as Drift;
    });
  }
}

/** Watches the errors of a model, rating by rating. */
export class DriftDetector extends DriftReader {
  readonly #memory: WritableMemory;
  readonly #threshold: number;
  readonly #blockOf: (user: number) => WritableAddress;
  readonly #metOf: (user: number) => WritableAddress;
  readonly #errorsOf: (item: number) => WritableAddress;

  constructor(
    { drift, users, items }: WatchedTables,
    memory: WritableMemory,
    { threshold, action }: { readonly threshold: number; readonly action: string },
  ) {
    super(drift, memory, action);
    this.#memory = memory;
    this.#threshold = threshold;
    this.#blockOf = users.column('driftBlock');
    this.#metOf = users.column('driftMet');
    this.#errorsOf = items.column('driftErrors');
  }

  /** Of a rating that is learned by a user who has so many, and how the model missed it. True: that is drift. */
  observe(event: RatingEvent, ratings: number, error: number): boolean {
    if (event.previous || event.weight === 0) return false;
    const { f64: doubles } = this.#memory;
    const { at } = this;
    const weight = 1 / Math.sqrt(this.#meet(event.user));
    doubles[at.sum] += weight * this.#evidenceOf(event.item, error * this.#scaleOf(ratings, error));
    doubles[at.weight] += weight;
    return ++doubles[at.ratings] === BLOCK && this.#closeBlock(event);
  }

  /** The errors to come are of another model: one that was fitted anew. */
  restart(): void {
    const { f64: doubles } = this.#memory;
    const { at } = this;
    for (const column of BEGUN) doubles[at[column]] = 0;
    doubles.fill(0, at.means, at.means + POSITIONS);
    doubles.fill(0, at.counts, at.counts + POSITIONS);
  }

  /** How many ratings of the block are of this user, with the one at hand. */
  #meet(user: number): number {
    const { f64: doubles, u32: words } = this.#memory;
    const [block, met] = [this.#blockOf(user) >>> 2, this.#metOf(user) >>> 2];
    const now = 1 + (doubles[this.at.block] % BLOCKS_NUMBERED);
    if (words[block] !== now) {
      words[block] = now;
      words[met] = 0;
    }
    return ++words[met];
  }

  /** 1/sqrt(v_b), of the mean before it takes the error. */
  #scaleOf(ratings: number, error: number): number {
    const { f64: doubles } = this.#memory;
    const position = Math.min(POSITIONS - 1, 31 - Math.clz32(1 + ratings));
    const [mean, count] = [this.at.means + position, this.at.counts + position];
    const square = Math.min(SQUARE_MAX, error * error);
    const usual = doubles[count] === 0 ? square : doubles[mean];
    doubles[count]++;
    doubles[mean] += (square - doubles[mean]) / Math.min(POSITION_MEMORY, doubles[count]);
    return 1 / Math.sqrt(Math.max(SQUARE_MIN, usual));
  }

  /** z */
  #evidenceOf(item: number, error: number): number {
    const { f64: doubles } = this.#memory;
    const at = this.#errorsOf(item) >>> 3;
    const bounded = Math.max(-ERROR_MAX, Math.min(ERROR_MAX, error));
    const z = Math.min(RATIO_MAX, error * error) + COHERENCE * bounded * doubles[at];
    doubles[at] += LATE_STEP * (bounded - doubles[at]);
    return z;
  }

  #closeBlock(event: RatingEvent): boolean {
    const { f64: doubles } = this.#memory;
    const { at } = this;
    const y = doubles[at.sum] / doubles[at.weight];
    if (doubles[at.blocks] >= BLOCKS_MIN) this.#test(y);
    const isDrift = doubles[at.statistic] > this.#threshold;
    if (isDrift) this.#record(event);
    else this.#learn(y);
    doubles[at.sum] = doubles[at.weight] = doubles[at.ratings] = 0;
    doubles[at.block]++;
    return isDrift;
  }

  #test(y: number): void {
    const { f64: doubles } = this.#memory;
    const { at } = this;
    const deviation = Math.max(DEVIATION_MIN, Math.sqrt(doubles[at.variance]));
    const off = Math.min(OFF_MAX, (y - doubles[at.mean]) / deviation) - SLACK;
    if (doubles[at.statistic] === 0) doubles[at.suspect] = doubles[at.suspectSum] = 0;
    doubles[at.statistic] = Math.max(0, doubles[at.statistic] + off);
    doubles[at.suspect]++;
    doubles[at.suspectSum] += y;
  }

  /** m and s: a block that is far off moves them no more than others do. */
  #learn(y: number): void {
    const { f64: doubles } = this.#memory;
    const { at } = this;
    const step = 1 / Math.min(BLOCKS_MEMORY, ++doubles[at.blocks]);
    const most = doubles[at.blocks] > BLOCKS_TRIMMED ? OFF_MAX * Math.sqrt(doubles[at.variance]) : Number.MAX_VALUE;
    const off = Math.max(-most, Math.min(most, y - doubles[at.mean]));
    doubles[at.mean] += step * off;
    doubles[at.variance] += step * (off * off * (1 - step) - doubles[at.variance]);
  }

  /** Of all errors: the mean of v_b, by how often each was met. */
  #meanSquare(): number {
    const { f64: doubles } = this.#memory;
    let [sum, ratings] = [0, 0];
    for (let n = 0; n < POSITIONS; n++) {
      sum += doubles[this.at.means + n] * doubles[this.at.counts + n];
      ratings += doubles[this.at.counts + n];
    }
    return sum / ratings;
  }

  #record({ time, revision }: RatingEvent): void {
    const { f64: doubles } = this.#memory;
    const { at } = this;
    const found: Omit<Drift, 'action'> = {
      number: doubles[at.count] + 1,
      revision,
      time,
      ratings: BLOCK * doubles[at.suspect],
      statistic: doubles[at.statistic],
      threshold: this.#threshold,
      before: doubles[at.mean],
      after: doubles[at.suspectSum] / doubles[at.suspect],
    };
    const start = at.records + (doubles[at.count] % DRIFTS_KEPT) * RECORD.length;
    for (const [n, name] of RECORD.entries()) doubles[start + n] = found[name];
    doubles[at.count]++;
    // The block at hand is counted in already, and not over yet.
    doubles[at.began] = doubles[at.block] + 1 - doubles[at.suspect];
    doubles[at.moved] = (Math.max(0, found.after - found.before) / (1 + COHERENCE * KNOWN)) * this.#meanSquare();
    for (const column of BEGUN) doubles[at[column]] = 0;
  }
}

/** What begins anew. */
const BEGUN = ['sum', 'weight', 'ratings', 'mean', 'variance', 'blocks', 'statistic', 'suspect', 'suspectSum'] as const;
