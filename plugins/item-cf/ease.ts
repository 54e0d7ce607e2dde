import type { WritableAddress } from '../contract/index.ts';
import type { Refit } from './context.ts';

/**
 * EASE (Steck 2019): which items are rated together, as a linear model of m items, each of which is expected from the others:
 *
 *     G = counts of users who rated both, m x m      P = (G + l2 I)^-1      B_ij = -P_ij/P_jj, B_ii = 0
 *
 * of which row i keeps its largest `partners`. Items are the m that were rated most, at least twice each. G + l2 I is
 * inverted where it lies, block of `BLOCK` rows by block (Gauss & Jordan).
 */

const BLOCK = 8;
const RATINGS_MIN = 2;
/** A user's latest ratings that count: pairs are as many as their square. */
const RATED_MAX = 1000;
/** Between two yields: about so many multiplications. */
const PACE = 3e7;
const ROWS = 32;

export function* fitEase(context: Refit, from: number): Generator<number, void, void> {
  const { config, items, reset, scratch, kernels, memory } = context;
  const chosen = choose(context);
  const m = chosen.length;
  const stride = 4 * Math.ceil(m / 4);
  const matrix = scratch(Math.max(16, 4 * m * stride));
  yield* countTogether(context, chosen, matrix, stride, from);
  const diagonal = (n: number) => (matrix >>> 2) + n * stride + n;
  for (let n = 0; n < m; n++) memory.f32[diagonal(n)] += config.ease.l2;
  const rows = scratch(4 * BLOCK * Math.max(4, stride));
  let spent = 0;
  for (let first = 0; first < m; first += BLOCK) {
    kernels.eliminate(matrix, m, stride, first, Math.min(BLOCK, m - first), rows);
    spent += BLOCK * m * stride;
    if (spent < PACE) continue;
    spent = 0;
    yield from + (1 - from) * (0.2 + (0.6 * first) / m);
  }
  for (let item = 0; item < items; item++) reset('ease', item);
  for (const [n, item] of chosen.entries()) {
    if (n % ROWS === 0) yield from + (1 - from) * (0.8 + (0.2 * n) / m);
    keepLargest(context, chosen, item, (other) =>
      other === n ? 0 : -memory.f32[(matrix >>> 2) + n * stride + other] / memory.f32[diagonal(other)],
    );
  }
}

/** The items that were rated most, in the order of their rows. */
function choose({ config, history, items }: Refit): Uint32Array {
  const counts = Uint32Array.from({ length: items }, (_, item) => history.itemCount(item));
  const often = Uint32Array.from(counts.keys()).filter((item) => counts[item] >= RATINGS_MIN);
  return often
    .sort((a, b) => counts[b] - counts[a] || a - b)
    .slice(0, config.ease.items)
    .sort();
}

/** matrix += 1 for every pair of items of a user, each item with itself included. */
function* countTogether(
  { history, users, items, kernels, memory, scratch }: Refit,
  chosen: Uint32Array,
  matrix: WritableAddress,
  stride: number,
  from: number,
): Generator<number, void, void> {
  const placeOf = new Int32Array(items).fill(-1);
  for (const [n, item] of chosen.entries()) placeOf[item] = n;
  const places = scratch(4 * RATED_MAX);
  let spent = 0;
  for (let user = 0; user < users; user++) {
    const rated = history.userCount(user);
    let count = 0;
    for (let n = Math.max(0, rated - RATED_MAX); n < rated; n++) {
      const place = placeOf[history.item(history.ofUser(user, n))];
      if (place >= 0) memory.u32[(places >>> 2) + count++] = place;
    }
    kernels.together(matrix, stride, places, count);
    spent += 100 + count * count;
    if (spent < PACE) continue;
    spent = 0;
    yield from + ((1 - from) * 0.2 * user) / users;
  }
}

/** Writes the largest weights of an item, by absolute value. */
function keepLargest(
  { config, tables, memory }: Refit,
  chosen: Uint32Array,
  item: number,
  weightOf: (other: number) => number,
): void {
  const { partners } = config.ease;
  const weights = Float32Array.from(chosen, (_, other) => weightOf(other));
  const sizes = weights.map(Math.abs).sort();
  const least = sizes[Math.max(0, sizes.length - partners)];
  const to = tables.ease.column('to')(item) >>> 2;
  const weight = tables.ease.column('weight')(item) >>> 2;
  let length = 0;
  // Those above the least first, then as many of its size as there is room for.
  for (const isKept of [(size: number) => size > least, (size: number) => size === least && size > 0]) {
    for (let other = 0; other < weights.length && length < partners; other++) {
      if (!isKept(Math.abs(weights[other]))) continue;
      memory.u32[to + length] = chosen[other];
      memory.f32[weight + length++] = weights[other];
    }
  }
  memory.u32[tables.ease.column('length')(item) >>> 2] = length;
}
