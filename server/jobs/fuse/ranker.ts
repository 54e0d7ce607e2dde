import type { HostKernels } from '../../memory/kernels/host-kernels.ts';
import type { Model, ModelHost } from '../../models/model.ts';
import { RANK_MISS } from '../../models/prequential.ts';
import { Scores } from '../../models/scores.ts';

/** Where models place items: among all, less those that the user has rated. */
export class Ranker {
  readonly #host: ModelHost;
  readonly #kernels: HostKernels;
  readonly #scores: Scores;

  constructor(host: ModelHost, kernels: HostKernels) {
    this.#host = host;
    this.#kernels = kernels;
    this.#scores = new Scores(host.arena);
  }

  /** From 1; RANK_MISS for an item without a row (-1). */
  rank(model: Model, user: number, item: number, time: number): number {
    const { items } = model;
    if (item < 0 || item >= items) return RANK_MISS;
    const query = { user: model.user(user), time };
    const scores = this.#scores.ofAll((...asked) => model.scorer.score(query, ...asked), items);
    this.#scores.excludeRated(this.#host.world.interactions, user, items);
    return this.#kernels.rankOf(scores, items, item) + 1;
  }

  /** Gives back its scratch memory. */
  release(): void {
    this.#scores.release();
  }
}
