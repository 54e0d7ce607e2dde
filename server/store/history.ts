/**
 * What was done with a model, or tried and left off: for people, and for whoever does it again after a while. The journal has
 * it, so every start knows it.
 */

export type ChangeKind = 'fuse' | 'rollback' | 'tune';
export type ChangeOutcome =
  /** A version serves that did not before. */
  | 'promoted'
  /** The guard let it not. */
  | 'refused'
  /** Nothing better was found than what serves. */
  | 'kept'
  /** It came to no decision. */
  | 'failed';

/** What whoever makes a change says of it. */
export interface ChangeAccount {
  readonly kind: ChangeKind;
  /** Who asked for it: a call, or the server itself when a period was over. */
  readonly by: 'call' | 'period';
  /** How the version was made, in lower case; "" for what has none. */
  readonly strategy: string;
  /** What went into it besides the model, as the command line names it. */
  readonly sources: readonly string[];
  /** Why it came to its outcome, in words. */
  readonly reason: string;
  /** What the guard found; absent where nothing was judged. */
  readonly judgement?: Judgement;
  /** Of a search: the settings of its best candidate, by their paths, that are others than those that served. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

/** What the guard found, by the metric that it went by. */
export interface Judgement {
  readonly passed: boolean;
  readonly before?: Measured;
  readonly after?: Measured;
  readonly difference: Measured & { readonly baseline: string };
  readonly margin: number;
  readonly marginLeft: number;
}

/** A figure of one model. */
export interface Measured {
  readonly model: string;
  readonly metric: string;
  readonly value: number;
  /** Absent where too few stand behind it. */
  readonly interval?: { readonly lower: number; readonly upper: number } | undefined;
  readonly count: number;
}

/** The same as it is written down. */
export interface Change extends ChangeAccount {
  readonly outcome: ChangeOutcome;
  /** When that was decided, in milliseconds since 1970. */
  readonly atMs: number;
  /** Of the model, when the work began. */
  readonly learned: number;
  /** The version that served when the work began, and the one that was made, which is kept only where it was promoted. */
  readonly previous: string;
  readonly version: string;
}

export interface HistoryEntry extends Change {
  /** The record that says so. */
  readonly revision: number;
}

/** Entries of a model; the oldest goes first, but for the latest from which a fusion period counts. */
export const HISTORY_MAX = 20;
/** Characters of a reason, which may come from a plugin. */
const REASON_MAX = 1000;

/** A history with one more entry. */
export function withEntry(
  history: readonly HistoryEntry[] | undefined,
  change: Change,
  revision: number,
): readonly HistoryEntry[] {
  const entry = { ...change, reason: change.reason.slice(0, REASON_MAX), revision };
  const entries = [...(history ?? []), entry];
  if (entries.length <= HISTORY_MAX) return entries;
  return entries.toSpliced(entries.findLastIndex(beginsPeriod) === 0 ? 1 : 0, 1);
}

/** Whether a fusion period counts from there: a Fuse, whatever came of it, or a version that was made like one. */
export function beginsPeriod({ kind, strategy, outcome }: Pick<Change, 'kind' | 'strategy' | 'outcome'>): boolean {
  return kind === 'fuse' || (strategy !== '' && outcome === 'promoted');
}
