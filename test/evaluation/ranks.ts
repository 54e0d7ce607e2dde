/** Places of items in rankings, and what they are worth. */

/** How often, and how far up, the next item was among the first ten. */
export interface Ranked {
  readonly count: number;
  readonly hitRate: number;
  readonly ndcg: number;
}

const PLACES = 10;

export class RankFigures {
  #count = 0;
  #hits = 0;
  #gains = 0;

  /** `place` is from 0; infinite for an item that nobody had seen. */
  add(place: number): void {
    this.#count++;
    if (place >= PLACES) return;
    this.#hits++;
    this.#gains += 1 / Math.log2(place + 2);
  }

  get ranked(): Ranked {
    return { count: this.#count, hitRate: this.#hits / this.#count, ndcg: this.#gains / this.#count };
  }
}

/** The place, from 0, of one item among those that are not `hidden`; in the middle of those with its score. */
export function placeOf(scores: Float32Array, item: number, hidden: Uint8Array): number {
  if (item >= scores.length || hidden[item] !== 0) return Number.POSITIVE_INFINITY;
  const score = scores[item];
  let above = 0;
  let equal = 0;
  for (let other = 0; other < scores.length; other++) {
    if (hidden[other] !== 0) continue;
    if (scores[other] > score) above++;
    else if (scores[other] === score) equal++;
  }
  return above + Math.floor((equal - 1) / 2);
}
