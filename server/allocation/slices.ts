import { POINTS } from './point.ts';

/**
 * Who owns which points: lists of [from, to), rising and disjoint. Whatever changes, what is taken away is no more than
 * what others gain, so the fewest units change their owner; an owner that grows keeps all that it had.
 */

export type Slice = readonly [from: number, to: number];
export type Slices = readonly Slice[];

export function sizeOf(slices: Slices): number {
  return slices.reduce((sum, [from, to]) => sum + to - from, 0);
}

/**
 * `total` points divided by weights, in whole points (by the largest remainders, the first of equal ones): of weights that
 * are not negative, and not all 0.
 */
export function divide(weights: readonly number[], total = POINTS): number[] {
  const largest = Math.max(...weights);
  // Only so do weights near the greatest number have a sum.
  const scaled = weights.map((weight) => weight / largest);
  const sum = scaled.reduce((all, weight) => all + weight, 0);
  const exact = scaled.map((weight) => (weight / sum) * total);
  const shares = exact.map(Math.floor);
  const rest = total - shares.reduce((all, share) => all + share, 0);
  const byRemainder = exact.map((_, i) => i).sort((a, b) => exact[b] - shares[b] - (exact[a] - shares[a]) || a - b);
  // A weight of 0 gets nothing; rounding never leaves more than one point for each of the others.
  for (const i of byRemainder.filter((each) => weights[each] > 0).slice(0, rest)) shares[i]++;
  return shares;
}

/**
 * Gives each owner as many points as `sizes` says. Owners that shrink give up their smallest slices first, so that the
 * number of slices stays small; those that grow take what is free, from the lowest point on. The last list is what is left
 * free. Sizes are at most what there is.
 */
export function recut(owned: readonly Slices[], sizes: readonly number[], free: Slices = []): Slices[] {
  const kept: Slices[] = [];
  let pool = [...free];
  for (const [i, slices] of owned.entries()) {
    const surplus = sizeOf(slices) - sizes[i];
    const [left, given] = surplus > 0 ? giveUp(slices, surplus) : [slices, []];
    kept.push(left);
    pool.push(...given);
  }
  pool = merged(pool);
  const cut = kept.map((slices, i) => {
    const [taken, left] = takeFirst(pool, sizes[i] - sizeOf(slices));
    pool = left;
    return merged([...slices, ...taken]);
  });
  return [...cut, merged(pool)];
}

/** What is not in any of these. */
export function complement(taken: readonly Slices[]): Slices {
  const free: Slice[] = [];
  let at = 0;
  for (const [from, to] of merged(taken.flat())) {
    if (from > at) free.push([at, from]);
    at = to;
  }
  if (at < POINTS) free.push([at, POINTS]);
  return free;
}

/** How many points of `before` have another owner in `after`, both by owner. */
export function countMoved(before: readonly Slices[], after: readonly Slices[]): number {
  const owned = sizeOf(before.flat());
  return owned - before.reduce((sum, slices, i) => sum + overlap(slices, after[i] ?? []), 0);
}

/** Whether slices are as `recut` makes them. */
export function areDisjoint(all: readonly Slices[]): boolean {
  const sorted = all.flat().sort(([a], [b]) => a - b);
  return sorted.every(([from, to], i) => from < to && to <= POINTS && (i === 0 || sorted[i - 1][1] <= from));
}

/** The smallest slices first, the later of equal ones; of the last one its end. */
function giveUp(slices: Slices, surplus: number): [left: Slices, given: Slice[]] {
  const left = [...slices].sort((a, b) => b[1] - b[0] - (a[1] - a[0]) || a[0] - b[0]);
  const given: Slice[] = [];
  for (let rest = surplus; rest > 0; ) {
    const [from, to] = left.pop() as Slice;
    const size = Math.min(rest, to - from);
    given.push([to - size, to]);
    if (to - size > from) left.push([from, to - size]);
    rest -= size;
  }
  return [merged(left), given];
}

function takeFirst(pool: Slice[], wanted: number): [taken: Slice[], left: Slice[]] {
  const taken: Slice[] = [];
  const left: Slice[] = [];
  let rest = Math.max(0, wanted);
  for (const [from, to] of pool) {
    const size = Math.min(rest, to - from);
    if (size > 0) taken.push([from, from + size]);
    if (size < to - from) left.push([from + size, to]);
    rest -= size;
  }
  return [taken, left];
}

/** Rising, and none beside its neighbour. */
function merged(slices: Slices): Slice[] {
  const all: [number, number][] = [];
  for (const [from, to] of [...slices].sort(([a], [b]) => a - b)) {
    const last = all.at(-1);
    if (last && last[1] === from) last[1] = to;
    else all.push([from, to]);
  }
  return all;
}

function overlap(some: Slices, others: Slices): number {
  let sum = 0;
  for (const [from, to] of some)
    for (const [otherFrom, otherTo] of others) sum += Math.max(0, Math.min(to, otherTo) - Math.max(from, otherFrom));
  return sum;
}
