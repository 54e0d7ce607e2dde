import { NO_ROW, type Query, type Scorer } from '../../plugins/contract/index.ts';
import type { Arena } from '../memory/arena.ts';
import type { HostKernels } from '../memory/kernels/host-kernels.ts';
import type { World } from '../memory/world.ts';
import { Scores } from '../models/scores.ts';

/** Orders item rows by score: the best `count` of all, or of given ones. Synchronous, in one thread's scratch memory. */

/** What can rank: a model, or the counts that stand in for one. */
export interface Ranker {
  readonly scorer: Pick<Scorer, 'score'>;
  /** Item rows that it can score: 0 .. items - 1. */
  readonly items: number;
}

export interface Ranked {
  readonly row: number;
  readonly score: number;
}

export interface Restrictions {
  /** The user whose rated items are left out, or `NO_ROW`. */
  readonly seenBy: number;
  /** Item rows to leave out. */
  readonly excluded: readonly number[];
}

export class Ranking {
  readonly #arena: Arena;
  readonly #kernels: HostKernels;
  readonly #world: World;
  readonly #scores: Scores;
  readonly #best: number;

  /** `countMax`: the most that is ever asked for at once. */
  constructor(arena: Arena, kernels: HostKernels, world: World, countMax: number) {
    this.#arena = arena;
    this.#kernels = kernels;
    this.#world = world;
    this.#scores = new Scores(arena);
    this.#best = arena.allocate(8 * countMax);
  }

  /** The best of all items. */
  ofAll(ranker: Ranker, query: Query, count: number, { seenBy, excluded }: Restrictions): Ranked[] {
    const { items } = ranker;
    const scores = this.#scores.ofAll(ranker, query, items);
    if (seenBy !== NO_ROW) this.#scores.excludeRated(this.#world.interactions, seenBy, items);
    for (const row of excluded) if (row < items) this.#scores.exclude(row);
    return this.#top(scores, items, count, (position) => position);
  }

  /** The best of the items of `rows`. */
  ofItems(
    ranker: Ranker,
    query: Query,
    rows: readonly number[],
    count: number,
    { seenBy, excluded }: Restrictions,
  ): Ranked[] {
    const without = new Set(excluded);
    const { interactions } = this.#world;
    const unseen = (row: number) => seenBy === NO_ROW || interactions.find(seenBy, row) < 0;
    const asked = rows.filter((row) => row < ranker.items && !without.has(row) && unseen(row));
    const scores = this.#scores.ofItems(ranker, query, asked);
    return this.#top(scores, asked.length, count, (position) => asked[position]);
  }

  #top(scores: number, length: number, count: number, rowOf: (position: number) => number): Ranked[] {
    const { f32: floats, u32: words } = this.#arena;
    const found = this.#kernels.topK(scores, length, count, this.#best);
    const ranked: Ranked[] = [];
    const end = (this.#best >>> 2) + 2 * found;
    for (let entry = end - 2 * found; entry < end; entry += 2) {
      ranked.push({ row: rowOf(words[entry + 1]), score: floats[entry] });
    }
    return ranked;
  }
}

/** Ranks by how many live ratings an item has: what answers when no model can. */
export class CountRanker implements Ranker {
  readonly scorer: Pick<Scorer, 'score'>;
  readonly #world: World;

  constructor(arena: Arena, world: World) {
    this.#world = world;
    const { byItem } = world.interactions;
    this.scorer = {
      score: (_query, spans, spanCount, out) => {
        let at = out >>> 2;
        for (let span = 0; span < spanCount; span++) {
          for (let row = spans[2 * span]; row < spans[2 * span + 1]; row++) arena.f32[at++] = byItem.count(row);
        }
      },
    };
  }

  get items(): number {
    return this.#world.items.rows;
  }
}
