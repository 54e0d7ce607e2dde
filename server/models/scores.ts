import type { WritableAddress } from '../../plugins/contract/index.ts';
import type { Arena } from '../memory/arena.ts';
import type { Interactions } from '../memory/interactions.ts';
import type { Lists } from '../memory/lists.ts';
import { Scratch } from '../memory/scratch.ts';
import type { World } from '../memory/world.ts';

/** Scores the items of spans, as `Scorer.score` does, for what was asked. */
export type Score = (spans: Uint32Array, spanCount: number, out: WritableAddress) => void;

/** One thread's scratch memory for scores: f32, one for each item asked. What it returns is void after the next call. */
export class Scores {
  readonly #arena: Arena;
  readonly #span = new Uint32Array(2);
  readonly #scratch: Scratch;
  #address = 0;

  constructor(arena: Arena) {
    this.#arena = arena;
    this.#scratch = new Scratch(arena);
  }

  /** Scores item rows 0 .. items - 1. */
  ofAll(score: Score, items: number): WritableAddress {
    const out = this.#reserve(items);
    this.#span[1] = items;
    score(this.#span, 1, out);
    return out;
  }

  /** Scores the items of `rows`, in their order; each must exist for the model. */
  ofItems(score: Score, rows: ArrayLike<number>): WritableAddress {
    const out = this.#reserve(rows.length);
    const spans = new Uint32Array(2 * rows.length);
    for (let n = 0; n < rows.length; n++) {
      spans[2 * n] = rows[n];
      spans[2 * n + 1] = rows[n] + 1;
    }
    score(spans, rows.length, out);
    return out;
  }

  /** After `ofAll`: leaves out what a user has rated. */
  excludeRated(interactions: Interactions, user: number, items: number): void {
    this.#excludeListed(interactions.byUser, user, items, () => true);
  }

  /** After `ofAll`: leaves out what a user has rated, and what an event of theirs hides. */
  excludeSeen({ interactions, events, kinds }: World, user: number, items: number): void {
    this.excludeRated(interactions, user, items);
    if (kinds.hiding) this.#excludeListed(events.byUser, user, items, (row) => kinds.of(events.kind(row)).hides);
  }

  /** Leaves out position `position`. */
  exclude(position: number): void {
    this.#arena.f32[(this.#address >>> 2) + position] = Number.NEGATIVE_INFINITY;
  }

  /** Gives its memory back. */
  release(): void {
    this.#scratch.release();
  }

  #excludeListed(lists: Lists, user: number, items: number, hides: (row: number) => boolean): void {
    const { f32: floats } = this.#arena;
    const { words } = lists;
    const scores = this.#address >>> 2;
    const pairs = lists.pairs(user);
    const end = pairs + 2 * lists.countAt(pairs);
    for (let pair = pairs; pair < end; pair += 2) {
      if (words[pair] < items && hides(words[pair + 1])) floats[scores + words[pair]] = Number.NEGATIVE_INFINITY;
    }
  }

  #reserve(count: number): WritableAddress {
    this.#address = this.#scratch.reserve(4 * count);
    return this.#address as WritableAddress;
  }
}
