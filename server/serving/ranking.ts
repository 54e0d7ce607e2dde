import { NO_ROW } from '../../plugins/contract/index.ts';
import type { Arena } from '../memory/arena.ts';
import type { HostKernels } from '../memory/kernels/host-kernels.ts';
import type { World } from '../memory/world.ts';
import { type Score, Scores } from '../models/scores.ts';
import type { Ticket } from './exploration/field.ts';
import { draw, type Lottery } from './exploration/lottery.ts';
import type { Mask } from './filter/masks.ts';
import { seenBy } from './seen.ts';

/** Orders item rows by score: the best `count` of all, or of given ones. Synchronous, in one thread's scratch memory. */

/** What ranks: a model, or the counts that stand in for one, for what was asked. */
export interface Ranker {
  readonly score: Score;
  /** Item rows that it can score: 0 .. items - 1. */
  readonly items: number;
  /** How its lists are drawn; undefined: they are the best. */
  readonly lottery?: Lottery | undefined;
}

export interface Ranked {
  readonly row: number;
  readonly score: number;
  /** The chance that it got its place, where the list was drawn. */
  readonly chance?: () => number;
}

/** What is left out. */
export interface Restrictions {
  /** The user whose seen items are left out, or `NO_ROW`. */
  readonly seenBy: number;
  /** Item rows to leave out. */
  readonly excluded: readonly number[];
  /** The time at which items must be available, in seconds since 1970. */
  readonly now: number;
  /** What the filter lets through; undefined: everything. */
  readonly mask: Mask | undefined;
}

export class Ranking {
  readonly #arena: Arena;
  readonly #kernels: HostKernels;
  readonly #world: World;
  readonly #scores: Scores;
  readonly #best: number;
  readonly #bestBytes: number;

  /** `countMax`: the most that is ever asked for at once. */
  constructor(arena: Arena, kernels: HostKernels, world: World, countMax: number) {
    this.#arena = arena;
    this.#kernels = kernels;
    this.#world = world;
    this.#scores = new Scores(arena);
    this.#bestBytes = 8 * countMax;
    this.#best = arena.allocate(this.#bestBytes);
  }

  /** Gives its scratch memory back. */
  release(): void {
    this.#scores.release();
    this.#arena.free(this.#best, this.#bestBytes);
  }

  /** The best of all items. */
  ofAll(ranker: Ranker, count: number, { seenBy: user, excluded, now, mask }: Restrictions): Ranked[] {
    const { score, items } = ranker;
    const scores = this.#scores.ofAll(score, items);
    this.#world.itemFeatures.availability.exclude(this.#kernels, scores, items, now);
    if (mask) this.#kernels.applyMask(scores, mask.address, items);
    if (user !== NO_ROW) this.#scores.excludeSeen(this.#world, user, items);
    for (const row of excluded) if (row < items) this.#scores.exclude(row);
    return this.#choose(ranker, scores, items, count, (position) => position);
  }

  /** The best of the items of `rows`. */
  ofItems(ranker: Ranker, rows: readonly number[] | Uint32Array, count: number, restrictions: Restrictions): Ranked[] {
    const { now, mask } = restrictions;
    const { availability } = this.#world.itemFeatures;
    const without = new Set(restrictions.excluded);
    const seen = seenBy(this.#world, restrictions.seenBy);
    const passes = (row: number) => !mask || ((mask.words[row >>> 5] >>> (row & 31)) & 1) === 1;
    const asked = [...rows].filter(
      (row) =>
        row < ranker.items && !without.has(row) && availability.isAvailable(row, now) && passes(row) && !seen(row),
    );
    const scores = this.#scores.ofItems(ranker.score, asked);
    return this.#choose(ranker, scores, asked.length, count, (position) => asked[position]);
  }

  #choose(
    { lottery }: Ranker,
    at: number,
    length: number,
    count: number,
    rowOf: (position: number) => number,
  ): Ranked[] {
    const best = (most: number) => this.#top(at, length, most);
    if (!lottery) return best(count).map(({ position, score }) => ({ row: rowOf(position), score }));
    const scores = this.#arena.f32.subarray(at >>> 2, (at >>> 2) + length);
    return draw(lottery, { scores, best, rowOf }, count).map(({ position, score, chance }) => ({
      row: rowOf(position),
      score,
      chance,
    }));
  }

  #top(scores: number, length: number, count: number): Ticket[] {
    const { f32: floats, u32: words } = this.#arena;
    const found = this.#kernels.topK(scores, length, count, this.#best);
    const best: Ticket[] = [];
    const end = (this.#best >>> 2) + 2 * found;
    for (let entry = end - 2 * found; entry < end; entry += 2)
      best.push({ position: words[entry + 1], score: floats[entry] });
    return best;
  }
}

/** Ranks by how many live ratings an item has: what answers when no model can. */
export function rankByCounts(arena: Arena, { items, interactions }: World): Ranker {
  const { byItem } = interactions;
  return {
    items: items.rows,
    score: (spans, spanCount, out) => {
      let at = out >>> 2;
      for (let span = 0; span < spanCount; span++) {
        for (let row = spans[2 * span]; row < spans[2 * span + 1]; row++) arena.f32[at++] = byItem.count(row);
      }
    },
  };
}
