// What follows what: T[from -> to] is weight/scale of an entry of a row.

import { discountOf, ITEMS, NOTHING, ROWS, rowOf } from './rows.as';

// Words of a view of such a table, behind those of any.
const TO: usize = 20;
const WEIGHT: usize = 24;
const LENGTH: usize = 28;
const SCALE: usize = 32;
const WIDTH: usize = 36;

/** A scale beyond this is taken into the weights. */
const SCALE_MAX: f32 = 1e15;

/**
 * `item` was rated after `count` others, the latest first: each leads to it by `weight` times its gain, and it leads back by
 * that times `back`. What `item` and the latest of them lead to fades before: `keep` of it is left.
 */
export function follow(
  view: usize,
  item: u32,
  count: u32,
  items: usize,
  gains: usize,
  weight: f32,
  back: f32,
  keep: f64,
): void {
  const row = rowOf(view, item);
  fade(view, row, keep);
  for (let n: u32 = 0; n < count; n++) {
    const before = rowOf(view, load<u32>(items + (<usize>n << 2)));
    if (n === 0) fade(view, before, keep);
    const gain = weight * load<f32>(gains + (<usize>n << 2));
    lead(view, before, item, gain);
    if (back > 0) lead(view, row, load<u32>(items + (<usize>n << 2)), back * gain);
  }
}

/** T[from -> to] += amount; at nothing or less, the entry goes. */
export function amend(view: usize, from: u32, to: u32, amount: f32): void {
  const row = rowOf(view, from);
  const scaled = amount * scaleOf(view, row);
  const at = entryOf(view, row, to);
  if (at < 0) {
    if (amount > 0) lead(view, row, to, amount);
    return;
  }
  const weights = row + load<u32>(view, WEIGHT);
  const before = load<f32>(weights + (<usize>at << 2));
  const after = before + scaled;
  if (after > before * NOTHING) {
    store<f32>(weights + (<usize>at << 2), after);
    return;
  }
  const keys = row + load<u32>(view, TO);
  const last = lengthOf(view, row) - 1;
  store<u32>(keys + (<usize>at << 2), load<u32>(keys + (<usize>last << 2)));
  store<f32>(weights + (<usize>at << 2), load<f32>(weights + (<usize>last << 2)));
  store<u32>(keys + (<usize>last << 2), 0);
  store<f32>(weights + (<usize>last << 2), 0);
  store<u32>(row + load<u32>(view, LENGTH), last);
}

/** T[from -> to] */
export function leads(view: usize, from: u32, to: u32): f32 {
  if (from >= load<u32>(view, ROWS)) return 0;
  const row = rowOf(view, from);
  const at = entryOf(view, row, to);
  return at < 0 ? 0 : load<f32>(row + load<u32>(view, WEIGHT) + (<usize>at << 2)) / scaleOf(view, row);
}

/**
 * sums[j - from] += fades[n] discount_n T[n -> j] over `count` items n and every j from `from` to less than from + length.
 * `itemView`: where discounts are; 0: they are 1.
 */
export function gather(
  view: usize,
  itemView: usize,
  count: u32,
  items: usize,
  fades: usize,
  from: u32,
  length: u32,
  sums: usize,
): void {
  const toAt = load<u32>(view, TO);
  const weightAt = load<u32>(view, WEIGHT);
  for (let n: u32 = 0; n < count; n++) {
    const item = load<u32>(items + (<usize>n << 2));
    if (item >= load<u32>(view, ROWS)) continue;
    const row = rowOf(view, item);
    const factor = <f32>((<f64>load<f32>(fades + (<usize>n << 2)) * discount(itemView, item)) / <f64>scaleOf(view, row));
    let key = row + toAt;
    let weight = row + weightAt;
    const end = key + (<usize>lengthOf(view, row) << 2);
    for (; key < end; key += 4, weight += 4) {
      const place = load<u32>(key) - from;
      if (place >= length) continue;
      const sum = sums + (<usize>place << 2);
      store<f32>(sum, load<f32>(sum) + factor * load<f32>(weight));
    }
  }
}

/** out[n] = discount_(from + n) sums[n] */
export function discounted(itemView: usize, from: u32, count: u32, sums: usize, out: usize): void {
  for (let n: u32 = 0; n < count; n++, sums += 4, out += 4) {
    store<f32>(out, load<f32>(sums) * <f32>discount(itemView, from + n));
  }
}

// @ts-ignore: decorator
@inline
function discount(itemView: usize, item: u32): f64 {
  if (itemView === 0) return 1;
  return item < load<u32>(itemView, ITEMS + ROWS) ? load<f32>(discountOf(itemView, item)) : 0;
}

// @ts-ignore: decorator
@inline
function lengthOf(view: usize, row: usize): u32 {
  return min(load<u32>(row + load<u32>(view, LENGTH)), load<u32>(view, WIDTH));
}

/** A row of zeros has scale 1. */
// @ts-ignore: decorator
@inline
function scaleOf(view: usize, row: usize): f32 {
  const scale = load<f32>(row + load<u32>(view, SCALE));
  return scale === 0 ? 1 : scale;
}

function fade(view: usize, row: usize, keep: f64): void {
  let scale = <f32>(<f64>scaleOf(view, row) / keep);
  if (scale > SCALE_MAX) {
    let weight = row + load<u32>(view, WEIGHT);
    const end = weight + (<usize>lengthOf(view, row) << 2);
    for (; weight < end; weight += 4) store<f32>(weight, load<f32>(weight) / scale);
    scale = 1;
  }
  store<f32>(row + load<u32>(view, SCALE), scale);
}

/** The place of an entry in a row, or -1. */
function entryOf(view: usize, row: usize, to: u32): i32 {
  const keys = row + load<u32>(view, TO);
  const length = lengthOf(view, row);
  const wanted = i32x4.splat(to);
  // Entries behind the last are read, too: rows are a multiple of four long.
  for (let n: u32 = 0; n < length; n += 4) {
    const found = i32x4.bitmask(i32x4.eq(v128.load(keys + (<usize>n << 2)), wanted));
    if (found === 0) continue;
    const at = n + ctz(found);
    return at < length ? at : -1;
  }
  return -1;
}

/** T[row -> to] += gain; in a full row, a new entry takes the place of the least. */
function lead(view: usize, row: usize, to: u32, gain: f32): void {
  const weights = row + load<u32>(view, WEIGHT);
  const scaled = gain * scaleOf(view, row);
  const at = entryOf(view, row, to);
  if (at >= 0) {
    const weight = weights + (<usize>at << 2);
    store<f32>(weight, load<f32>(weight) + scaled);
    return;
  }
  let length = lengthOf(view, row);
  if (length < load<u32>(view, WIDTH)) store<u32>(row + load<u32>(view, LENGTH), length + 1);
  else length = least(weights, length);
  store<u32>(row + load<u32>(view, TO) + (<usize>length << 2), to);
  store<f32>(weights + (<usize>length << 2), scaled);
}

/** The place of the first of the least of `length` weights, a multiple of four. */
function least(weights: usize, length: u32): u32 {
  let low = v128.load(weights);
  for (let n: u32 = 4; n < length; n += 4) low = f32x4.pmin(low, v128.load(weights + (<usize>n << 2)));
  const lowest = f32x4.splat(
    min(
      min(f32x4.extract_lane(low, 0), f32x4.extract_lane(low, 1)),
      min(f32x4.extract_lane(low, 2), f32x4.extract_lane(low, 3)),
    ),
  );
  for (let n: u32 = 0; n < length; n += 4) {
    const found = i32x4.bitmask(f32x4.eq(v128.load(weights + (<usize>n << 2)), lowest));
    if (found !== 0) return n + ctz(found);
  }
  return 0;
}
