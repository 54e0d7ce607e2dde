/**
 * The chance that an item gets a place when every item draws one of its L values, all as likely, and the best come first.
 *
 * Place k (from 0) is got with a value x when exactly k others draw more: of independent chances q_j, the k-th coefficient of
 * prod_j ((1 - q_j) + q_j s). Of equal values a lot decides, uniform over 0..1: with a lot t, q_j = (more_j + (1 - t) equal_j)/L,
 * and the mean over t is taken by Gauss & Legendre's nodes. These are exact for up to 2 n - 1 items with the same value; more
 * nodes are taken the more equal values there are (`NODES_PER_TIE`), which leaves errors far below what counts could show.
 */
export class PosteriorPlaces {
  readonly #values: Float64Array;
  readonly #levels: number;
  readonly #items: number;
  /** Of each item: where its values begin that are more than the one that is looked at, and those that are no less. */
  readonly #firstMore: Uint8Array;
  readonly #firstEqual: Uint8Array;
  /** Of each item: the share of its values that are more, and that are equal. */
  readonly #more: Float64Array;
  readonly #equal: Float64Array;
  readonly #counts: Float64Array;
  /** Of all items: the sums of these, and the variance of how many draw more. */
  #sum = { more: 0, equal: 0, variance: 0 };

  /** `values`: of item after item, each in rising order; `levels`: how many each has, at most 255. */
  constructor(values: Float64Array, levels: number) {
    this.#values = values;
    this.#levels = levels;
    this.#items = values.length / levels;
    this.#firstMore = new Uint8Array(this.#items);
    this.#firstEqual = new Uint8Array(this.#items);
    this.#more = new Float64Array(this.#items);
    this.#equal = new Float64Array(this.#items);
    this.#counts = new Float64Array(this.#items + 1);
  }

  /** Of an item at a place, both from 0. */
  of(item: number, place: number): number {
    this.#firstMore.fill(this.#levels);
    this.#firstEqual.fill(this.#levels);
    this.#more[item] = 0;
    this.#equal[item] = 0;
    let sum = 0;
    for (let level = this.#levels - 1; level >= 0; level--) {
      this.#compare(item, this.#values[item * this.#levels + level]);
      const { more, equal, variance } = this.#sum;
      const reach = FAR * Math.sqrt(variance) + 1;
      // With a lesser value even more of the others draw more.
      if (more - reach > place) break;
      if (more + equal + reach >= place) sum += this.#meanOverLots(place);
    }
    return sum / this.#levels;
  }

  /** With a value that is no more than the one before. */
  #compare(own: number, value: number): void {
    const levels = this.#levels;
    const values = this.#values;
    const sum = this.#sum;
    sum.more = 0;
    sum.equal = 0;
    sum.variance = 0;
    for (let item = 0; item < this.#items; item++) {
      if (item === own) continue;
      const base = item * levels - 1;
      let firstMore = this.#firstMore[item];
      while (firstMore > 0 && values[base + firstMore] > value) firstMore--;
      let firstEqual = Math.min(firstMore, this.#firstEqual[item]);
      while (firstEqual > 0 && values[base + firstEqual] === value) firstEqual--;
      this.#firstMore[item] = firstMore;
      this.#firstEqual[item] = firstEqual;
      const more = (levels - firstMore) / levels;
      const equal = (firstMore - firstEqual) / levels;
      this.#more[item] = more;
      this.#equal[item] = equal;
      const middle = more + equal / 2;
      sum.more += more;
      sum.equal += equal;
      sum.variance += middle * (1 - middle) + equal;
    }
  }

  #meanOverLots(place: number): number {
    const ties = this.#sum.equal;
    if (ties === 0) return this.#exactly(place, 0);
    const { nodes, weights } =
      RULES.find(({ nodes }) => nodes.length >= NODES_PER_TIE * ties) ?? RULES[RULES.length - 1];
    let mean = 0;
    for (let n = 0; n < nodes.length; n++) mean += weights[n] * this.#exactly(place, nodes[n]);
    return mean;
  }

  /** That exactly `place` others draw more; of equal values those with a lot in the share `winning` count as more. */
  #exactly(place: number, winning: number): number {
    const counts = this.#counts;
    let certain = 0;
    let most = 0;
    counts[0] = 1;
    for (let n = 0; n < this.#items; n++) {
      const chance = this.#more[n] + winning * this.#equal[n];
      if (chance === 0) continue;
      if (chance === 1) {
        if (++certain > place) return 0;
        continue;
      }
      if (most < place) {
        counts[most + 1] = counts[most] * chance;
        most++;
      } else counts[most] = counts[most] * (1 - chance) + (most > 0 ? counts[most - 1] * chance : 0);
      for (let k = most - 1; k > 0; k--) counts[k] = counts[k] * (1 - chance) + counts[k - 1] * chance;
      if (most > 0) counts[0] *= 1 - chance;
    }
    return place - certain <= most ? counts[place - certain] : 0;
  }
}

/** In standard deviations: what is further adds less than 10^-8. */
const FAR = 6;
const NODES_PER_TIE = 1;
/** Weights and nodes over 0..1, by how many nodes there are. */
const RULES = [2, 4, 8, 16, 32, 64].map(gaussLegendre);

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
