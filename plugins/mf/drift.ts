import { DriftDetector, type WatchedTables, type WritableMemory, type WriteTables } from '../contract/index.ts';
import type { MfConfig } from './config.ts';
import type { MfTables } from './tables.ts';

/**
 * What follows from drift. With the first rating after it was found, a row of a user or an item is as unsure of itself as one
 * that was never rated (covariance resetting: Goodwin, Elliott & Teoh 1983): a user's variances are what they were before the
 * first rating, times `reopen`, unless they are larger; what an item has moved by is learned beside its bias (`moves.ts`), with
 * the variance of a new bias, of what items moved by if that is more, times `reopen`. Means of an item begin to
 * count anew, plain biases take the steps of a new row, and ratings from before are not replayed. Then it learns again those
 * of its ratings by which the drift was suspected: they are from after. A row that nobody rates stays as it is until somebody
 * does.
 */

type Half = 'users' | 'items';

/** What rows know of drift. */
export class DriftRows {
  readonly #words: WritableMemory['u32'];
  readonly #at: Readonly<Record<Half, ReturnType<typeof columnsOf>>>;

  constructor({ users, items }: WriteTables<MfTables>, { u32: words }: WritableMemory) {
    this.#words = words;
    this.#at = { users: columnsOf(users), items: columnsOf(items) };
  }

  drifts(half: Half, row: number): number {
    return this.#words[this.#at[half].drifts(row) >>> 2];
  }

  /** How many of a row's ratings came before the last drift that it met. */
  before(half: Half, row: number): number {
    return this.#words[this.#at[half].before(row) >>> 2];
  }

  /** How many came since. */
  since(half: Half, row: number): number {
    return Math.max(0, this.#words[this.#at[half].ratings(row) >>> 2] - this.before(half, row));
  }

  meet(half: Half, row: number, drifts: number, before = this.#words[this.#at[half].ratings(row) >>> 2]): void {
    this.#words[this.#at[half].drifts(row) >>> 2] = drifts;
    this.#words[this.#at[half].before(row) >>> 2] = before;
  }

  /** Of which stretch the last rating was, from 1; 0: it has none, or it is not known. */
  stretch(half: Half, row: number): number {
    return this.#words[this.#at[half].stretch(row) >>> 2];
  }

  /** How many ratings came before that stretch. */
  earlier(half: Half, row: number): number {
    return this.#words[this.#at[half].earlier(row) >>> 2];
  }

  /** The rating at hand is of that stretch. */
  enter(half: Half, row: number, stretch: number): void {
    if (this.stretch(half, row) !== stretch)
      this.remember(half, row, stretch, this.#words[this.#at[half].ratings(row) >>> 2]);
  }

  remember(half: Half, row: number, stretch: number, earlier: number): void {
    this.#words[this.#at[half].stretch(row) >>> 2] = stretch;
    this.#words[this.#at[half].earlier(row) >>> 2] = earlier;
  }
}

const columnsOf = (table: WriteTables<MfTables>[Half]) => ({
  drifts: table.column('drifts'),
  before: table.column('before'),
  stretch: table.column('stretch'),
  earlier: table.column('earlier'),
  ratings: table.column('ratings'),
});

interface Context {
  readonly config: MfConfig;
  readonly tables: WriteTables<MfTables>;
  readonly memory: WritableMemory;
}

/** What rows know of drift, where somebody watches for it. */
export const driftRowsOf = ({ config, tables, memory }: Context): DriftRows | undefined =>
  config.drift.enabled ? new DriftRows(tables, memory) : undefined;

/** As findings tell of it. */
export const actionOf = ({ drift }: Pick<MfConfig, 'drift'>): string => (drift.reopen > 0 ? 'reopened' : '');

/** Who watches the errors, and none where nobody is to. */
export function detectorOf({ config, tables, memory }: Context): DriftDetector | undefined {
  const { enabled, threshold } = config.drift;
  if (!enabled) return undefined;
  return new DriftDetector(tables as unknown as WatchedTables, memory, { threshold, action: actionOf(config) });
}

/** After a refit, whose ratings are all alike: the errors to come are of another model. */
export function forgetDrift(context: Context & { readonly users: number; readonly items: number }): void {
  const detector = detectorOf(context);
  const rows = driftRowsOf(context);
  if (!detector || !rows) return;
  detector.restart();
  for (const half of ['users', 'items'] as const)
    for (let row = 0; row < context[half]; row++) rows.meet(half, row, detector.count, 0);
}
