import { NO_ROW, type Random, type WritableMemory } from '../contract/index.ts';
import type { Listed } from './listed.ts';

/** So often is drawn for each item: what the user had to do with counts for nothing, and may be nearly all there is. */
const DRAWS = 4;

interface Sources {
  readonly random: Random;
  readonly memory: WritableMemory;
  readonly listed: Listed;
  readonly ratingsOf: (item: number) => number;
}

interface Wanted {
  /** How many items at most. */
  readonly negatives: number;
  /** What part of them is drawn by `chosen`, the others from all that are listed. */
  readonly popular: number;
  /** The item of what is live, of a part of it all; `NO_ROW` where it is none. */
  readonly chosen: (part: number) => number;
  readonly isFree: (user: number, item: number) => boolean;
}

/** Draws items that somebody chose, and that a user had nothing to do with. */
export class Draws {
  /** A refit knows what is live by itself. */
  chosen: Wanted['chosen'];
  readonly #sources: Sources;
  readonly #most: number;
  readonly #isFree: Wanted['isFree'];
  /** One draw says both: below this which rating or event, and else which item. */
  readonly #popular: number;
  #left = 0;
  #user = NO_ROW;
  #item = NO_ROW;

  constructor(sources: Sources, { negatives, popular, chosen, isFree }: Wanted) {
    this.#sources = sources;
    this.#most = DRAWS * negatives;
    this.#popular = popular * 2 ** 32;
    this.#isFree = isFree;
    this.chosen = chosen;
  }

  /** From here on draws are for a user, and other than the item. */
  begin(user: number, item: number): void {
    this.#user = user;
    this.#item = item;
    this.#left = this.#most;
  }

  /** An item; `NO_ROW` where none is found any more. */
  next(): number {
    const { random, memory, ratingsOf } = this.#sources;
    while (this.#left-- > 0) {
      const draw = random.next();
      const other = draw < this.#popular ? this.chosen(draw / this.#popular) : this.#anyItem(draw);
      if (other === NO_ROW || other === this.#item || memory.u32[ratingsOf(other) >>> 2] === 0) continue;
      if (this.#isFree(this.#user, other)) return other;
    }
    return NO_ROW;
  }

  #anyItem(draw: number): number {
    const { listed } = this.#sources;
    const part = (draw - this.#popular) / (2 ** 32 - this.#popular);
    return listed.count === 0 ? NO_ROW : listed.at(Math.floor(part * listed.count));
  }
}
