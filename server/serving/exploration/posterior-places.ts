/**
 * The chance that an item gets a place when every item draws one of its L values, all as likely, and the best come first.
 *
 * Place k (from 0) is got with a value x when exactly k others draw more: of independent chances q_j, the k-th coefficient of
 * prod_j ((1 - q_j) + q_j s). Of equal values a lot decides, uniform over 0..1: with a lot t, q_j = (more_j + (1 - t) equal_j)/L,
 * and the mean over t is taken by Gauss & Legendre's nodes. These are exact for up to 2 n - 1 items with the same value; more
 * nodes are taken the more equal values there are (`NODES`), which leaves errors far below what counts could show.
 */
export class PosteriorPlaces {
  readonly #values: Float64Array;
  readonly #levels: number;
  readonly #groupOf: Uint32Array;
  /** Items with the same values, who count together: one of them, and how many. */
  readonly #groups: { readonly item: number; size: number }[] = [];
  /** Of each group: where its values begin that are more than the one that is looked at, and those that are no less. */
  readonly #firstMore: Uint8Array;
  readonly #firstEqual: Uint8Array;
  /** Of each group: the share of its values that are more, and that are equal. */
  readonly #more: Float64Array;
  readonly #equal: Float64Array;
  readonly #counts: Float64Array;
  readonly #binomial: Float64Array;
  /** Of all items: the sums of these, and the variance of how many draw more. */
  #sum = { more: 0, equal: 0, variance: 0 };

  /** `values`: of item after item, each in rising order; `levels`: how many each has, at most 255. */
  constructor(values: Float64Array, levels: number) {
    const items = values.length / levels;
    this.#values = values;
    this.#levels = levels;
    this.#groupOf = new Uint32Array(items);
    this.#group(items);
    const groups = this.#groups.length;
    this.#firstMore = new Uint8Array(groups);
    this.#firstEqual = new Uint8Array(groups);
    this.#more = new Float64Array(groups);
    this.#equal = new Float64Array(groups);
    this.#counts = new Float64Array(items + 1);
    this.#binomial = new Float64Array(items + 1);
  }

  /** Of an item at a place, both from 0. */
  of(item: number, place: number): number {
    this.#firstMore.fill(this.#levels);
    this.#firstEqual.fill(this.#levels);
    const own = this.#groups[this.#groupOf[item]];
    own.size--;
    let sum = 0;
    for (let level = this.#levels - 1; level >= 0; level--) {
      this.#compare(this.#values[item * this.#levels + level]);
      const { more, equal, variance } = this.#sum;
      const reach = FAR * Math.sqrt(variance) + 1;
      // With a lesser value even more of the others draw more.
      if (more - reach > place) break;
      if (more + equal + reach >= place) sum += this.#meanOverLots(place);
    }
    own.size++;
    return sum / this.#levels;
  }

  #group(items: number): void {
    const levels = this.#levels;
    const values = this.#values;
    const alike = (a: number, b: number) => {
      for (let level = levels - 1; level >= 0; level--)
        if (values[a * levels + level] !== values[b * levels + level]) return false;
      return true;
    };
    for (let item = 0; item < items; item++) {
      let group = this.#groups.findIndex((each) => alike(each.item, item));
      if (group < 0) group = this.#groups.push({ item, size: 0 }) - 1;
      this.#groups[group].size++;
      this.#groupOf[item] = group;
    }
  }

  /** With a value that is no more than the one before. */
  #compare(value: number): void {
    const levels = this.#levels;
    const values = this.#values;
    const sum = this.#sum;
    sum.more = 0;
    sum.equal = 0;
    sum.variance = 0;
    for (let group = 0; group < this.#groups.length; group++) {
      const { item, size } = this.#groups[group];
      const base = item * levels - 1;
      let firstMore = this.#firstMore[group];
      while (firstMore > 0 && values[base + firstMore] > value) firstMore--;
      let firstEqual = Math.min(firstMore, this.#firstEqual[group]);
      while (firstEqual > 0 && values[base + firstEqual] === value) firstEqual--;
      this.#firstMore[group] = firstMore;
      this.#firstEqual[group] = firstEqual;
      const more = (levels - firstMore) / levels;
      const equal = (firstMore - firstEqual) / levels;
      this.#more[group] = more;
      this.#equal[group] = equal;
      const middle = more + equal / 2;
      sum.more += size * more;
      sum.equal += size * equal;
      sum.variance += size * (middle * (1 - middle) + equal / 4);
    }
  }

  #meanOverLots(place: number): number {
    const ties = this.#sum.equal;
    if (ties === 0) return this.#exactly(place, 0);
    const { nodes, weights } =
      RULES.find(({ nodes }) => nodes.length >= NODES * Math.sqrt(ties)) ?? RULES[RULES.length - 1];
    let mean = 0;
    for (let n = 0; n < nodes.length; n++) mean += weights[n] * this.#exactly(place, nodes[n]);
    return mean;
  }

  /** That exactly `place` others draw more; of equal values those with a lot in the share `winning` count as more. */
  #exactly(place: number, winning: number): number {
    const counts = this.#counts.fill(0, 0, place + 1);
    let certain = 0;
    counts[0] = 1;
    for (let group = 0; group < this.#groups.length; group++) {
      const { size } = this.#groups[group];
      const chance = this.#more[group] + winning * this.#equal[group];
      if (size === 0 || chance === 0) continue;
      if (chance < 1) this.#join(size, chance, place);
      else certain += size;
      if (certain > place) return 0;
    }
    return counts[place - certain];
  }

  /** So many more, each with a chance: counts are convolved with their binomial distribution. */
  #join(size: number, chance: number, place: number): void {
    const counts = this.#counts;
    if (size < FEW) {
      for (let n = 0; n < size; n++) {
        for (let k = place; k > 0; k--) counts[k] = counts[k] * (1 - chance) + counts[k - 1] * chance;
        counts[0] *= 1 - chance;
      }
      return;
    }
    const binomial = this.#binomial;
    const most = Math.min(size, place);
    binomial[0] = (1 - chance) ** size;
    for (let k = 0; k < most; k++) binomial[k + 1] = (binomial[k] * (size - k) * chance) / ((k + 1) * (1 - chance));
    for (let k = place; k >= 0; k--) {
      let sum = 0;
      for (let own = Math.min(k, most); own >= 0; own--) sum += binomial[own] * counts[k - own];
      counts[k] = sum;
    }
  }
}

/** So few are joined faster one by one. */
const FEW = 6;
/** In standard deviations: what is further adds less than 10^-6. */
const FAR = 5;
/** By the root of how many others have the same value, on average: as narrow is what is integrated. */
const NODES = 3;
/** Weights and nodes over 0..1, by how many nodes there are. */
const RULES = [2, 4, 6, 8, 12, 16, 24, 32].map(gaussLegendre);

/** Newton's method on Legendre's polynomials. */
function gaussLegendre(count: number): { readonly nodes: Float64Array; readonly weights: Float64Array } {
  const nodes = new Float64Array(count);
  const weights = new Float64Array(count);
  for (let n = 0; n < count; n++) {
    let x = Math.cos((Math.PI * (n + 0.75)) / (count + 0.5));
    let slope = 1;
    for (let step = 0; step < 50; step++) {
      let [before, value] = [1, x];
      for (let k = 2; k <= count; k++) [before, value] = [value, ((2 * k - 1) * x * value - (k - 1) * before) / k];
      slope = (count * (x * value - before)) / (x * x - 1);
      x -= value / slope;
    }
    nodes[n] = (1 + x) / 2;
    weights[n] = 1 / ((1 - x * x) * slope * slope);
  }
  return { nodes, weights };
}
