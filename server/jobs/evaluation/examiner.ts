import { NO_ROW, type Query } from '../../../plugins/contract/index.ts';
import type { Arena } from '../../memory/arena.ts';
import type { IdKey, Ids } from '../../memory/ids.ts';
import type { HostKernels } from '../../memory/kernels/host-kernels.ts';
import type { Scale } from '../../memory/scale.ts';
import { Scratch } from '../../memory/scratch.ts';
import { DEFAULT_NAMESPACE, type World } from '../../memory/world.ts';
import type { Model } from '../../models/model.ts';
import { RANK_MISS } from '../../models/prequential.ts';
import { type Score, Scores } from '../../models/scores.ts';
import type { Negatives } from './negatives.ts';
import type { Observations } from './observations.ts';

/** Of an item that a model cannot place. */
const UNRANKED = { rank: RANK_MISS, candidates: 0 };

export interface ExaminerParts {
  readonly arena: Arena;
  readonly kernels: HostKernels;
  readonly scale: Scale;
  /** Of all ratings: whose rows the observations name. */
  readonly all: World;
  /** Of those that the models have learned. */
  readonly trained: World;
  readonly observations: Observations;
  /** Undefined: held-out items are ranked among all. */
  readonly negatives: Negatives | undefined;
}

/**
 * Asks models for the ratings and the ranks of what was held out; changes nothing of them. A user or an item that
 * training never saw is unknown to the model, as it would be to a server: it predicts for strangers, and an unknown item
 * is a miss. Of equal scores the item that was known first stands first.
 */
export class Examiner {
  readonly #parts: ExaminerParts;
  readonly #scores: Scores;
  readonly #best: Scratch;
  readonly #key: IdKey;
  /** Rows of the trained world, by observation; below 0 where there is none. */
  readonly #user: Int32Array;
  readonly #item: Int32Array;
  /** The observation whose scores of all items are in the scratch memory. */
  #scored: { readonly model: Model; readonly n: number; readonly at: number } | undefined;

  constructor(parts: ExaminerParts) {
    this.#parts = parts;
    this.#scores = new Scores(parts.arena);
    this.#best = new Scratch(parts.arena);
    this.#key = { bytes: parts.arena.u8, start: 0, length: 0, namespace: DEFAULT_NAMESPACE };
    const { observations, all, trained } = parts;
    this.#user = Int32Array.from(observations.user, (row) => this.#translate(all.users, trained.users, row));
    this.#item = Int32Array.from(observations.item, (row) => this.#translate(all.items, trained.items, row));
  }

  /** What the model expects of observation `n`, on the deployment's scale and clipped to it. Throws when it is no number. */
  predict(model: Model, n: number): number {
    const expected = model.scorer.predict?.(this.query(model, n), rowOf(this.#item[n]));
    if (expected === undefined || !Number.isFinite(expected)) throw new RangeError(`it predicts ${expected}`);
    return this.#parts.scale.toExternal(expected);
  }

  /** By observation: the row of its item in the trained world; below 0 where there is none. */
  get items(): Int32Array {
    return this.#item;
  }

  /** Whether ranks are among all items. */
  get ranksAmongAll(): boolean {
    return this.#parts.negatives === undefined;
  }

  /**
   * The place of observation `n`'s item, from 1, or RANK_MISS, and among how many; 0 for one that is not known. `known`: what
   * all items score, if somebody knows.
   */
  rank(model: Model, n: number, known?: Float32Array): { readonly rank: number; readonly candidates: number } {
    const item = this.#item[n];
    if (item < 0 || item >= model.items) return UNRANKED;
    const [scores, count, position] = this.#parts.negatives
      ? this.#scoreSome(model, n, this.#parts.negatives)
      : [this.#scoreAll(model, n, known), model.items, item];
    const place = this.#parts.kernels.rankOf(scores, count, position) + 1;
    if (place > count) return UNRANKED;
    return { rank: place, candidates: this.#parts.negatives ? count : count - this.#ratedBelow(n, count) };
  }

  /** Writes the best items of all for the user of observation `n` to `out`; fewer than its places leave the rest as it is. */
  list(model: Model, n: number, out: Uint32Array, known?: Float32Array): void {
    const scores = this.#scoreAll(model, n, known);
    const best = this.#best.reserve(8 * out.length);
    const found = this.#parts.kernels.topK(scores, model.items, out.length, best);
    const { u32: words } = this.#parts.arena;
    for (let place = 0; place < found; place++) out[place] = words[(best >>> 2) + 2 * place + 1];
  }

  /** How many of the items below `items` the user of observation `n` has in training. */
  #ratedBelow(n: number, items: number): number {
    const user = this.#user[n];
    if (user < 0) return 0;
    const { byUser } = this.#parts.trained.interactions;
    const pairs = byUser.pairs(user);
    let rated = 0;
    for (let at = 0; at < byUser.countAt(pairs); at++) if (byUser.words[pairs + 2 * at] < items) rated++;
    return rated;
  }

  /** Who is asked about in observation `n`. */
  query(model: Model, n: number): Query {
    return { user: model.user(this.#user[n]), time: this.#parts.observations.time[n] };
  }

  /** All items, less those that the user has in training. */
  #scoreAll(model: Model, n: number, known: Float32Array | undefined): number {
    const { observations, trained } = this.#parts;
    const last = this.#scored;
    const isSame = last?.model === model && observations.user[last.n] === observations.user[n];
    if (isSame && observations.time[last.n] === observations.time[n]) return last.at;
    const user = this.#user[n];
    const { f32: floats } = this.#parts.arena;
    const score: Score = known ? (_, __, out) => floats.set(known, out >>> 2) : this.#scoring(model, n);
    const at = this.#scores.ofAll(score, model.items);
    if (user >= 0) this.#scores.excludeRated(trained.interactions, user, model.items);
    this.#scored = { model, n, at };
    return at;
  }

  /** The item among sampled ones, in the order of their rows. */
  #scoreSome(model: Model, n: number, negatives: Negatives): [scores: number, count: number, position: number] {
    const { observations, trained } = this.#parts;
    const [user, item] = [this.#user[n], this.#item[n]];
    const without = new Set([item]);
    if (user >= 0) {
      const { byUser } = trained.interactions;
      const pairs = byUser.pairs(user);
      for (let at = 0; at < byUser.countAt(pairs); at++) without.add(byUser.words[pairs + 2 * at]);
    }
    const rows = Uint32Array.from([...negatives.draw(observations.user[n], model.items, without), item]).sort();
    return [this.#scores.ofItems(this.#scoring(model, n), rows), rows.length, rows.indexOf(item)];
  }

  #scoring(model: Model, n: number): Score {
    const query = this.query(model, n);
    return (spans, spanCount, out) => model.scorer.score(query, spans, spanCount, out);
  }

  #translate(from: Ids, to: Ids, row: number): number {
    const { address, length } = from.place(row);
    this.#key.start = address;
    this.#key.length = length;
    return to.find(this.#key);
  }
}

function rowOf(row: number): number {
  return row < 0 ? NO_ROW : row;
}
