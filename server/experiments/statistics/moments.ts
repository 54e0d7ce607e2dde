/** What a unit (a user, mostly) has of one metric by now: what is summed, and what it is divided by. */
export interface UnitSums {
  readonly sum: number;
  readonly count: number;
  /** The same of the time before the experiment, which no arm can have changed; 0 where nothing is known. */
  readonly sumBefore: number;
  readonly countBefore: number;
}

/** A number for each of 1, sum, count, sumBefore, countBefore. */
export type Weights = readonly [number, number, number, number, number];

const WIDTH = 5;

/**
 * The sums over units of all products of two of 1, sum, count, sumBefore and countBefore: all that estimates, their variances
 * between units and the adjustment for the time before need. Units can be taken out again, so that a unit that changes is
 * taken out as it was and added as it is.
 */
export class Moments {
  readonly #products = new Float64Array(WIDTH * WIDTH);
  readonly #unit = new Float64Array(WIDTH);

  static of(units: Iterable<UnitSums>): Moments {
    const moments = new Moments();
    for (const unit of units) moments.add(unit);
    return moments;
  }

  add(unit: UnitSums, times = 1): void {
    const own = this.#unit;
    own[0] = 1;
    own[1] = unit.sum;
    own[2] = unit.count;
    own[3] = unit.sumBefore;
    own[4] = unit.countBefore;
    for (let a = 0; a < WIDTH; a++) {
      for (let b = a; b < WIDTH; b++) this.#products[a * WIDTH + b] += times * own[a] * own[b];
    }
  }

  remove(unit: UnitSums): void {
    this.add(unit, -1);
  }

  addAll(other: Moments): void {
    for (let n = 0; n < WIDTH * WIDTH; n++) this.#products[n] += other.#products[n];
  }

  get units(): number {
    return this.#products[0];
  }

  get sum(): number {
    return this.#products[1];
  }

  get count(): number {
    return this.#products[2];
  }

  /** The sum over units of w·x, of x = (1, sum, count, sumBefore, countBefore). */
  total(w: Weights): number {
    let total = 0;
    for (let a = 0; a < WIDTH; a++) total += w[a] * this.#products[a];
    return total;
  }

  /** The sum over units of (w·x)(v·x). */
  product(w: Weights, v: Weights): number {
    let total = 0;
    for (let a = 0; a < WIDTH; a++) {
      total += w[a] * v[a] * this.#products[a * WIDTH + a];
      for (let b = a + 1; b < WIDTH; b++) total += (w[a] * v[b] + w[b] * v[a]) * this.#products[a * WIDTH + b];
    }
    return total;
  }
}
