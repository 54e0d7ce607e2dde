// Pairs of items: both rows, i->j and j->i, added, the latter's sums `own` and `other` exchanged.
//
//   w   = (product/sqrt(own other) count/(count + shrink))^2 where product > 0, else 0

import { BIAS, ITEMS, NOTHING, PAGES, PAIRS, RATINGS, ROWS, rowOf, SETS } from './rows.as';

/** Slots in a set, and sets in a page. */
const SLOTS: i32 = 8;
const PAGE: u32 = 8;
/** Bytes of a set's keys, behind which its slots lie. */
const KEYS: usize = 32;
// Bytes from the start of a slot, and of it.
const COUNT: usize = 0;
const PRODUCT: usize = 4;
const OWN: usize = 8;
const OTHER: usize = 12;
const SLOT: usize = 16;

/**
 * sum w e_j/(doubt + sum w) over `count` ratings of items j, e_j = value - common - bias_j. `places`: 8 bytes for each rating,
 * scratch. Where pairs are is looked up before any is read: they are all over the memory, which then waits for many at once.
 */
export function lean(
  view: usize,
  item: u32,
  count: u32,
  items: usize,
  values: usize,
  places: usize,
  common: f64,
  shrink: f64,
  doubt: f64,
): f64 {
  const row = rowOf(view + ITEMS, item);
  const rows = load<u32>(view, ITEMS + ROWS);
  for (let n: u32 = 0; n < count; n++) {
    const other = load<u32>(items + (<usize>n << 2));
    const isThere = other < rows;
    const place = places + (<usize>n << 3);
    store<u32>(place, isThere ? <u32>findSet(view, row, other) : 0);
    store<u32>(place, isThere ? <u32>findSet(view, rowOf(view + ITEMS, other), item) : 0, 4);
  }
  let sum: f64 = 0;
  let total = doubt;
  for (let n: u32 = 0; n < count; n++) {
    const other = load<u32>(items + (<usize>n << 2));
    const place = places + (<usize>n << 3);
    const back = sumsIn(load<u32>(place, 4), item);
    const sums = f32x4.add(sumsIn(load<u32>(place), other), v128.shuffle<f32>(back, back, 0, 1, 3, 2));
    const met: f64 = f32x4.extract_lane(sums, 0);
    const product: f64 = f32x4.extract_lane(sums, 1);
    const square = <f64>f32x4.extract_lane(sums, 2) * <f64>f32x4.extract_lane(sums, 3);
    if (product <= 0 || square <= 0) continue;
    let w = ((product / Math.sqrt(square)) * met) / (met + shrink);
    w *= w;
    sum += w * (load<f64>(values + (<usize>n << 3)) - common - load<f64>(biasOf(view, other)));
    total += w;
  }
  return sum / total;
}

/** Counts a rating of `item`, whose residual is `residual`, with each of `count` ratings of others. */
export function pair(
  view: usize,
  item: u32,
  count: u32,
  items: usize,
  values: usize,
  common: f64,
  residual: f64,
  weight: f64,
): void {
  const row = rowOf(view + ITEMS, item);
  for (let n: u32 = 0; n < count; n++) {
    const other = load<u32>(items + (<usize>n << 2));
    const e = load<f64>(values + (<usize>n << 3)) - common - load<f64>(biasOf(view, other));
    const slot = obtainSlot(view, row, other);
    accumulate(slot + COUNT, weight);
    accumulate(slot + PRODUCT, weight * residual * e);
    accumulate(slot + OWN, weight * residual * residual);
    accumulate(slot + OTHER, weight * e * e);
  }
}

/** Takes a rating of that weight out of row item->other: an average one of those that are counted there. */
export function unpair(view: usize, item: u32, other: u32, weight: f64): void {
  const set = findSet(view, rowOf(view + ITEMS, item), other);
  const found = set === 0 ? 0 : matches(set, other + 1);
  if (found === 0) return;
  const slot = slotOf(set, ctz(found));
  const count: f64 = load<f32>(slot, COUNT);
  const left = count - weight;
  const part = left > count * NOTHING ? left / count : 0;
  store<f32>(slot, <f32>(count * part), COUNT);
  store<f32>(slot, <f32>(load<f32>(slot, PRODUCT) * part), PRODUCT);
  store<f32>(slot, <f32>(load<f32>(slot, OWN) * part), OWN);
  store<f32>(slot, <f32>(load<f32>(slot, OTHER) * part), OTHER);
  if (part === 0) store<u32>(set + (<usize>ctz(found) << 2), 0);
}

/** Twice as many sets: those after `sets` are new, and get what belongs there. */
export function split(view: usize, item: u32, sets: u32): void {
  const row = rowOf(view + ITEMS, item);
  for (let set: u32 = 0; set < sets; set++) {
    const from = setOf(view, row, set);
    const to = setOf(view, row, set + sets);
    let moved = 0;
    for (let n = 0; n < SLOTS; n++) {
      const key = load<u32>(from + (<usize>n << 2));
      if (key === 0 || (hash(key - 1) & sets) === 0) continue;
      store<u32>(to + (<usize>moved << 2), key);
      store<u32>(from + (<usize>n << 2), 0);
      v128.store(slotOf(to, moved), v128.load(slotOf(from, n)));
      v128.store(slotOf(from, n), i32x4.splat(0));
      moved++;
    }
  }
}

/** out[n] = how alike `item` is to item from + n: count/sqrt((ratings + doubt)(ratings' + doubt)) (1 + correlation). */
export function likeness(view: usize, item: u32, from: u32, count: u32, shrink: f64, doubt: f64, out: usize): void {
  const row = rowOf(view + ITEMS, item);
  const ratings = doubt + <f64>load<u32>(row + load<u32>(view, RATINGS));
  for (let n: u32 = 0; n < count; n++, out += 4) {
    const other = from + n;
    const otherRow = rowOf(view + ITEMS, other);
    const sums = pairOf(view, row, item, otherRow, other);
    const met: f64 = f32x4.extract_lane(sums, 0);
    const product: f64 = f32x4.extract_lane(sums, 1);
    const square = <f64>f32x4.extract_lane(sums, 2) * <f64>f32x4.extract_lane(sums, 3);
    const agreement = square > 0 ? ((product / Math.sqrt(square)) * met) / (met + shrink) : 0;
    const otherRatings = doubt + <f64>load<u32>(otherRow + load<u32>(view, RATINGS));
    store<f32>(out, <f32>((met * (1 + agreement)) / Math.sqrt(ratings * otherRatings)));
  }
}

// @ts-ignore: decorator
@inline
function biasOf(view: usize, item: u32): usize {
  return rowOf(view + ITEMS, item) + load<u32>(view, BIAS);
}

// @ts-ignore: decorator
@inline
function hash(item: u32): u32 {
  return (item * 2654435761) >>> 7;
}

/** The address of a set of an item; 0 when a row is half written. */
// @ts-ignore: decorator
@inline
function setOf(view: usize, itemRow: usize, set: u32): usize {
  const page = load<u32>(itemRow + load<u32>(view, PAGES) + (<usize>(set / PAGE) << 2));
  const row = page * PAGE + (set & (PAGE - 1));
  return row < load<u32>(view, PAIRS + ROWS) ? rowOf(view + PAIRS, row) : 0;
}

/** Which of a set's slots has a key, as bits. */
// @ts-ignore: decorator
@inline
function matches(set: usize, key: u32): i32 {
  const wanted = i32x4.splat(key);
  return (
    i32x4.bitmask(i32x4.eq(v128.load(set), wanted)) | (i32x4.bitmask(i32x4.eq(v128.load(set, 16), wanted)) << 4)
  );
}

// @ts-ignore: decorator
@inline
function slotOf(set: usize, n: i32): usize {
  return set + KEYS + <usize>n * SLOT;
}

/** The address of the set where a partner of an item would be; 0 when the item has none. */
// @ts-ignore: decorator
@inline
function findSet(view: usize, itemRow: usize, other: u32): usize {
  const sets = load<u32>(itemRow + load<u32>(view, SETS));
  return sets === 0 ? 0 : setOf(view, itemRow, hash(other) & (sets - 1));
}

/** The four sums of a partner in a set, or 0; zeros where there is none. Without a branch: nobody could foretell it. */
// @ts-ignore: decorator
@inline
function sumsIn(set: usize, other: u32): v128 {
  const found = matches(set, other + 1);
  const isThere = i32x4.splat(-(<i32>(set !== 0) & <i32>(found !== 0)));
  return v128.and(v128.load(slotOf(set, ctz(found) & (SLOTS - 1))), isThere);
}

/** The four sums of a row's partner; zeros where there is none. */
// @ts-ignore: decorator
@inline
function sumsOf(view: usize, itemRow: usize, other: u32): v128 {
  return sumsIn(findSet(view, itemRow, other), other);
}

/** The four sums of a pair: those of both rows. */
// @ts-ignore: decorator
@inline
function pairOf(view: usize, row: usize, item: u32, otherRow: usize, other: u32): v128 {
  const back = sumsOf(view, otherRow, item);
  return f32x4.add(sumsOf(view, row, other), v128.shuffle<f32>(back, back, 0, 1, 3, 2));
}

/** The address of a partner's slot; when it has none, it gets that of the partner that was met least. */
// @ts-ignore: decorator
@inline
function obtainSlot(view: usize, itemRow: usize, other: u32): usize {
  const set = findSet(view, itemRow, other);
  const found = matches(set, other + 1);
  if (found !== 0) return slotOf(set, ctz(found));
  let least = 0;
  for (let n = 1; n < SLOTS; n++) {
    if (load<f32>(slotOf(set, n), COUNT) < load<f32>(slotOf(set, least), COUNT)) least = n;
  }
  store<u32>(set + (<usize>least << 2), other + 1);
  v128.store(slotOf(set, least), i32x4.splat(0));
  return slotOf(set, least);
}

// @ts-ignore: decorator
@inline
function accumulate(at: usize, amount: f64): void {
  store<f32>(at, <f32>(<f64>load<f32>(at) + amount));
}
