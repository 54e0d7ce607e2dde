// The chance of a place among items that each draw one of their values, all as likely: what `posterior-places.ts` says, in a
// memory of its own. Addresses are bytes. Strict SIMD: two levels, or two lots, at a time, in the lanes of f64. No static data.
//
// Items with the same values are a group. Of each group g, of `groups` in all:
//
//   values    `levels` f64 in rising order, group after group
//   sizes     f64: how many items it has
//
// and at `work`, room for (4 + 6 groups + 4 (place + 1)) f64 and `groups` u32, what is found with a value x (or two of them):
// the sums of `more`, `equal` and variances over the items, then of each group the shares of its values that are more than x
// and that are equal, two f64 each; chances, two f64 each; counts and a binomial distribution, two f64 for each number
// up to the place; and the address behind the last value of each group that is not more.

/** So few are joined faster one by one. */
const FEW: f64 = 12;
/** In standard deviations: what is further adds less than 10^-6. */
const FAR: f64 = 5;
/** By the root of how many others have the same value, on average: as narrow is what is integrated. */
const NODES: f64 = 3;

const SUMS: usize = 32;

/**
 * That an item of group `own` gets `place`, from 0. `rules`: of Gauss & Legendre, each with a f64 for how many nodes there are,
 * nodes over 0..1 and weights, in rising order, and a 0 behind the last one.
 */
export function chance(
  values: usize,
  sizes: usize,
  groups: u32,
  levels: u32,
  own: u32,
  place: u32,
  rules: usize,
  work: usize,
): f64 {
  const chances = work + SUMS + ((<usize>groups) << 5);
  const counts = chances + ((<usize>groups) << 4);
  const ends = counts + ((<usize>(place + 1)) << 5);
  for (let g: usize = 0; g < groups; g++) store<u32>(ends + (g << 2), <u32>(values + 8 * levels * (g + 1)));
  const size = sizes + ((<usize>own) << 3);
  store<f64>(size, load<f64>(size) - 1);
  let sum: f64 = 0;
  // A level without equal values waits in lane 0 for another one.
  let waits: usize = 0;
  for (let level = levels; level > 0; level--) {
    compare(load<f64>(values + 8 * (own * levels + level - 1)), values, sizes, groups, levels, waits, ends, work);
    const more = load<f64>(work);
    const equal = load<f64>(work, 8);
    const reach = FAR * sqrt<f64>(load<f64>(work, 16)) + 1;
    // With a lesser value even more of the others draw more.
    if (more - reach > <f64>place) break;
    if (more + equal + reach < <f64>place) continue;
    if (equal > 0) {
      if (waits != 0) sum += overLots(0, 0, groups, sizes, place, rules, work);
      sum += overLots(waits, equal, groups, sizes, place, rules, work);
      waits = 0;
    } else if (waits == 0) waits = 8;
    else {
      const both = exactly(work + SUMS, sizes, groups, place, counts);
      sum += f64x2.extract_lane(both, 0);
      sum += f64x2.extract_lane(both, 1);
      waits = 0;
    }
  }
  if (waits != 0) sum += overLots(0, 0, groups, sizes, place, rules, work);
  store<f64>(size, load<f64>(size) + 1);
  return sum / <f64>levels;
}

/** Finds what draws more than a value, which is no more than the one before, and what as much, for the lane at `lane` bytes. */
function compare(
  value: f64,
  values: usize,
  sizes: usize,
  groups: u32,
  levels: u32,
  lane: usize,
  ends: usize,
  work: usize,
): void {
  let allMore: f64 = 0;
  let allEqual: f64 = 0;
  let variance: f64 = 0;
  const share = 1 / <f64>levels;
  let more = work + SUMS + lane;
  let equal = more + ((<usize>groups) << 4);
  for (let g: u32 = 0, first = values; g < groups; g++, ends += 4, sizes += 8, more += 16, equal += 16) {
    const end = first + ((<usize>levels) << 3);
    let from: usize = load<u32>(ends);
    while (from > first && load<f64>(from - 8) > value) from -= 8;
    store<u32>(ends, <u32>from);
    let same = from;
    while (same > first && load<f64>(same - 8) == value) same -= 8;
    const size = load<f64>(sizes);
    const m = <f64>(<u32>(end - from) >> 3) * share;
    const e = <f64>(<u32>(from - same) >> 3) * share;
    const middle = m + e / 2;
    store<f64>(more, m);
    store<f64>(equal, e);
    allMore += size * m;
    allEqual += size * e;
    variance += size * (middle * (1 - middle) + e / 4);
    first = end;
  }
  store<f64>(work, allMore);
  store<f64>(work, allEqual, 8);
  store<f64>(work, variance, 16);
}

/** The mean over lots of the chance in a lane, `ties` others having the same value on average. */
function overLots(lane: usize, ties: f64, groups: u32, sizes: usize, place: u32, rules: usize, work: usize): f64 {
  const more = work + SUMS + lane;
  const chances = work + SUMS + ((<usize>groups) << 5);
  const counts = chances + ((<usize>groups) << 4);
  if (ties == 0) {
    for (let at: usize = 0; at < (<usize>groups) << 4; at += 16) v128.store(chances + at, v128.load64_splat(more + at));
    return f64x2.extract_lane(exactly(chances, sizes, groups, place, counts), 0);
  }
  const least = NODES * sqrt<f64>(ties);
  let nodes: usize = <usize>load<f64>(rules);
  for (;;) {
    const next = rules + 8 + 16 * nodes;
    if (<f64>nodes >= least || load<f64>(next) == 0) break;
    rules = next;
    nodes = <usize>load<f64>(rules);
  }
  const equal = more + ((<usize>groups) << 4);
  let mean: f64 = 0;
  for (let node = rules + 8, end = node + 8 * nodes; node < end; node += 16) {
    const winning = v128.load(node);
    for (let at: usize = 0; at < (<usize>groups) << 4; at += 16) {
      const won = f64x2.mul(winning, v128.load64_splat(equal + at));
      v128.store(chances + at, f64x2.add(v128.load64_splat(more + at), won));
    }
    const both = f64x2.mul(v128.load(node + 8 * nodes), exactly(chances, sizes, groups, place, counts));
    mean += f64x2.extract_lane(both, 0);
    mean += f64x2.extract_lane(both, 1);
  }
  return mean;
}

/** That exactly `place` of the items draw more, each with the chance of its group: two f64 each. */
function exactly(chances: usize, sizes: usize, groups: u32, place: u32, counts: usize): v128 {
  const last = counts + ((<usize>place) << 4);
  const one = f64x2.splat(1);
  memory.fill(counts, 0, last + 16 - counts);
  v128.store(counts, one);
  let top = counts;
  for (let g: u32 = 0; g < groups; g++, chances += 16, sizes += 8) {
    const size = load<f64>(sizes);
    const chance = v128.load(chances);
    if (!v128.any_true(chance)) continue;
    if (size >= FEW && !v128.any_true(f64x2.ge(chance, one))) {
      join(size, chance, counts, last);
      top = last;
      continue;
    }
    const rest = f64x2.sub(one, chance);
    for (let n: f64 = 0; n < size; n++) {
      if (top < last) top += 16;
      let count = v128.load(top);
      for (let at = top; at > counts; at -= 16) {
        const below = v128.load(at - 16);
        v128.store(at, f64x2.add(f64x2.mul(count, rest), f64x2.mul(below, chance)));
        count = below;
      }
      v128.store(counts, f64x2.mul(count, rest));
    }
  }
  return v128.load(last);
}

/** So many more, each with a chance below 1: counts are convolved with their binomial distribution. */
function join(size: f64, chance: v128, counts: usize, last: usize): void {
  const rest = f64x2.sub(f64x2.splat(1), chance);
  const binomial = last + 16;
  const most = counts + 16 * <usize>min<f64>(size, <f64>((last - counts) >> 4));
  let none = f64x2.splat(1);
  for (let n: f64 = 0; n < size; n++) none = f64x2.mul(none, rest);
  v128.store(binomial, none);
  const odds = f64x2.div(chance, rest);
  let k: f64 = 0;
  for (let at = binomial + 16, left = most - counts; left > 0; left -= 16, at += 16) {
    none = f64x2.mul(f64x2.mul(none, f64x2.splat((size - k) / (k + 1))), odds);
    v128.store(at, none);
    k++;
  }
  for (let at = last; at >= counts; at -= 16) {
    let sum = f64x2.splat(0);
    const own = min<usize>(at, most) - counts;
    for (let n: usize = 0; n <= own; n += 16)
      sum = f64x2.add(sum, f64x2.mul(v128.load(binomial + n), v128.load(at - n)));
    v128.store(at, sum);
  }
}
