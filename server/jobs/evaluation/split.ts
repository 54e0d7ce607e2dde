import type { Interactions, RatingFields } from '../../memory/interactions.ts';
import type { World } from '../../memory/world.ts';
import type { Observations } from './observations.ts';

/**
 * What is held out, of the ratings that are live at the end: the latest `share` of all by event time, or the last one of
 * each user who has two or more. Of equal times the later arrival is the later one; an edit keeps its rating's place in
 * the order of arrival and has a time of its own.
 */
export type Split = { readonly type: 'time'; readonly share: number } | { readonly type: 'leaveLastOut' };

export interface Holdout {
  readonly observations: Observations;
  /** Of the live ratings: those that are left to learn from. */
  readonly trainedCount: number;
  /** By row of the live ratings: 1 when it is held out. */
  readonly held: Uint8Array;
}

export function holdOut({ users, interactions }: World, split: Split): Holdout {
  const ratings = new LiveRatings(interactions);
  const rows = split.type === 'time' ? latest(ratings, split.share) : lastOfEach(ratings, users.rows);
  const held = new Uint8Array(interactions.rows);
  for (const row of rows) held[row] = 1;
  return { observations: observe(ratings, rows, held), trainedCount: ratings.rows.length - rows.length, held };
}

/** Rows, event times and users of all live ratings. */
class LiveRatings {
  readonly interactions: Interactions;
  readonly rows: Uint32Array;
  /** By row. */
  readonly time: Float64Array;
  readonly user: Uint32Array;
  readonly fields: RatingFields = { user: 0, item: 0, kind: 0, value: 0, weight: 0, seconds: 0, nanos: 0 };

  constructor(interactions: Interactions) {
    const { fields } = this;
    this.interactions = interactions;
    this.rows = new Uint32Array(interactions.count);
    this.time = new Float64Array(interactions.rows);
    this.user = new Uint32Array(interactions.rows);
    let count = 0;
    for (let row = 0; row < interactions.rows; row++) {
      if (interactions.serial(row) === 0) continue; // retracted
      interactions.read(row, fields);
      this.rows[count++] = row;
      this.time[row] = fields.seconds + fields.nanos * 1e-9;
      this.user[row] = fields.user;
    }
  }

  /** Before 0 when rating row `a` is earlier than row `b`. */
  compare(a: number, b: number): number {
    return this.time[a] - this.time[b] || this.interactions.serial(a) - this.interactions.serial(b);
  }
}

/** The latest `share` of all, rounded; at least one, and one is left. */
function latest(ratings: LiveRatings, share: number): Uint32Array {
  const { rows, time } = ratings;
  if (rows.length < 2) return new Uint32Array();
  const count = Math.min(rows.length - 1, Math.max(1, Math.round(share * rows.length)));
  const times = Float64Array.from(rows, (row) => time[row]).sort();
  const threshold = times[rows.length - count];
  const after = rows.filter((row) => time[row] > threshold);
  const at = rows.filter((row) => time[row] === threshold).sort((a, b) => ratings.compare(a, b));
  return Uint32Array.from([...after, ...at.subarray(at.length - (count - after.length))]);
}

function lastOfEach(ratings: LiveRatings, users: number): Uint32Array {
  const last = new Int32Array(users).fill(-1);
  const counts = new Uint32Array(users);
  for (const row of ratings.rows) {
    const user = ratings.user[row];
    counts[user]++;
    if (last[user] < 0 || ratings.compare(row, last[user]) > 0) last[user] = row;
  }
  return Uint32Array.from(last.filter((_, user) => counts[user] >= 2));
}

function observe(ratings: LiveRatings, held: Uint32Array, isHeld: Uint8Array): Observations {
  const { interactions, fields, user, time } = ratings;
  const rows = held.toSorted((a, b) => user[a] - user[b] || ratings.compare(a, b));
  const history = new Map<number, number>();
  for (const row of ratings.rows) if (!isHeld[row]) history.set(user[row], (history.get(user[row]) ?? 0) + 1);
  const read = (row: number) => {
    interactions.read(row, fields);
    return fields;
  };
  return {
    count: rows.length,
    user: rows.map((row) => user[row]),
    item: rows.map((row) => read(row).item),
    value: Float64Array.from(rows, (row) => read(row).value),
    time: Float64Array.from(rows, (row) => time[row]),
    history: rows.map((row) => history.get(user[row]) ?? 0),
    step: stepOf(Array.from(ratings.rows, (row) => read(row).value)),
  };
}

function stepOf(values: readonly number[]): number {
  const sorted = [...new Set(values)].sort((a, b) => a - b);
  const steps = sorted.slice(1).map((value, n) => value - sorted[n]);
  return steps.reduce((least, step) => Math.min(least, step), steps[0] ?? 0);
}
