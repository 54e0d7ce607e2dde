/**
 * The chance that an item gets a place of an epsilon-greedy list: exact, over all that the places before may have gone to.
 *
 * Of N items, place k (from 0) goes with chance e to any of the N - k that are left, else to the best of them. What matters of
 * the places before, for the item of rank r (from 0), is how many better ones are left, a: at every place
 *
 *     a > 0:  it is taken with e/(N - k);  a falls by one with (1 - e) + e a/(N - k)
 *     a = 0:  it is taken with (1 - e) + e/(N - k)
 *
 * An item whose rank is beyond the place always has better ones left, so there the chance needs no table.
 */
export class PlaceChances {
  readonly #epsilon: number;
  readonly #items: number;
  /** By how many better ones are left: the chance of that, and that the item is not taken yet. */
  readonly #left: Float64Array;

  /** `places`: the most that are asked about. */
  constructor(epsilon: number, items: number, places: number) {
    this.#epsilon = epsilon;
    this.#items = items;
    this.#left = new Float64Array(places + 1);
  }

  /** Of the item of rank `rank` at place `place`, both from 0. */
  of(rank: number, place: number): number {
    return rank > place ? this.#ofWorse(place) : this.#ofBetter(rank, place);
  }

  #ofWorse(place: number): number {
    let chance = this.#any(place);
    for (let before = 0; before < place; before++) chance *= 1 - this.#any(before);
    return chance;
  }

  #ofBetter(rank: number, place: number): number {
    const left = this.#left.fill(0, 0, rank + 1);
    left[rank] = 1;
    const greedy = 1 - this.#epsilon;
    for (let before = 0; before < place; before++) {
      const any = this.#any(before);
      const items = this.#items - before;
      for (let better = Math.max(0, rank - before - 1); better <= rank; better++) {
        const falls = better < rank ? left[better + 1] * (greedy + any * (better + 1)) : 0;
        const stays = left[better] * any * (items - 1 - better);
        left[better] = falls + stays;
      }
    }
    const any = this.#any(place);
    let sum = left[0] * greedy;
    for (let better = 0; better <= rank; better++) sum += left[better] * any;
    return sum;
  }

  /** That a place goes to one given item of those that are left, by chance. */
  #any(place: number): number {
    return this.#epsilon / (this.#items - place);
  }
}
