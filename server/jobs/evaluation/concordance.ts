/**
 * Of all pairs of ratings that differ, the share in which the larger one was predicted larger, pairs that are predicted
 * alike counting half: the concordance index (Harrell et al. 1982). `starts`: where each user's ratings begin, and how
 * many ratings there are; a rating counts as often as its user. One pass in the order of predictions, with what was passed
 * kept as partial sums by value (Fenwick 1994): n log v steps for v values.
 */
export function concordance(
  value: Float64Array,
  predicted: Float64Array,
  starts: readonly number[],
): (weights: ArrayLike<number>) => number {
  const order = Uint32Array.from(value.keys()).sort((a, b) => predicted[a] - predicted[b]);
  const values = [...new Set(value)].sort((a, b) => a - b);
  const place = new Map(values.map((one, n) => [one, n + 1]));
  const placeOf = Uint32Array.from(order, (n) => place.get(value[n]) ?? 0);
  const user = new Uint32Array(value.length);
  for (let u = 0; u + 1 < starts.length; u++) user.fill(u, starts[u], starts[u + 1]);
  const userOf = Uint32Array.from(order, (n) => user[n]);
  const isTied = Uint8Array.from(order, (n, at) => (at > 0 && predicted[order[at - 1]] === predicted[n] ? 1 : 0));
  const passed = new PartialSums(values.length);
  const totals = new Float64Array(values.length + 1);
  return (weights) => {
    passed.clear();
    totals.fill(0);
    let [agreeing, opposed, all, pending] = [0, 0, 0, 0];
    for (let at = 0; at < order.length; at++) {
      // Ratings that are predicted alike pass together.
      if (isTied[at] === 0) for (; pending < at; pending++) passed.add(placeOf[pending], weights[userOf[pending]]);
      const weight = weights[userOf[at]];
      if (weight === 0) continue;
      const below = passed.upTo(placeOf[at] - 1);
      agreeing += weight * below;
      opposed += weight * (passed.total - below - passed.at(placeOf[at]));
      totals[placeOf[at]] += weight;
      all += weight;
    }
    const alike = totals.reduce((sum, count) => sum + count * count, 0);
    return 0.5 + (agreeing - opposed) / (all * all - alike);
  };
}

/** Sums of what was added at the places 1 .. n. */
class PartialSums {
  readonly #tree: Float64Array;
  readonly #single: Float64Array;
  total = 0;

  constructor(places: number) {
    this.#tree = new Float64Array(places + 1);
    this.#single = new Float64Array(places + 1);
  }

  clear(): void {
    this.#tree.fill(0);
    this.#single.fill(0);
    this.total = 0;
  }

  add(place: number, amount: number): void {
    if (amount === 0) return;
    this.total += amount;
    this.#single[place] += amount;
    for (let at = place; at < this.#tree.length; at += at & -at) this.#tree[at] += amount;
  }

  at(place: number): number {
    return this.#single[place];
  }

  upTo(place: number): number {
    let sum = 0;
    for (let at = place; at > 0; at -= at & -at) sum += this.#tree[at];
    return sum;
  }
}
