import { NO_ROW } from '../../plugins/contract/index.ts';
import type { Arena } from '../memory/arena.ts';
import { TextKey } from '../memory/ids.ts';
import type { HostKernels } from '../memory/kernels/host-kernels.ts';
import type { Reader } from '../memory/readers.ts';
import type { Revisions } from '../memory/revisions.ts';
import type { Scale } from '../memory/scale.ts';
import type { World } from '../memory/world.ts';
import type { Model } from '../models/model.ts';
import type { ModelDirectory } from './model-directory.ts';
import { CountRanker, Ranking } from './ranking.ts';

/** Answers Recommend from the shared memory: model, candidates, scores, the best. Synchronous: no lock, no disk. */

export interface RecommendQuery {
  readonly userId: string;
  /** "" is the default model. */
  readonly model: string;
  readonly count: number;
  /** When not empty, these are ranked, and nothing else. */
  readonly candidateIds: readonly string[];
  readonly excludeIds: readonly string[];
  /** Whether items that the user has rated may be recommended. */
  readonly includeSeen: boolean;
}

export interface RecommendedItem {
  readonly itemId: string;
  readonly score: number;
  /** The rating expected, on the deployment's scale; absent where the model does not predict. */
  readonly predictedValue: number | undefined;
}

/** Why another model answered: the user has no live rating, or the model stopped learning. */
export type FallbackReason = '' | 'UNKNOWN_USER' | 'MODEL_NOT_AVAILABLE';

/** What the host's own counts of ratings are called when they answer, since no model can. */
const COUNTS_NAME = 'popularity';

export interface Recommendations {
  readonly items: readonly RecommendedItem[];
  /** The name of the model that answered, or `COUNTS_NAME`. */
  readonly model: string;
  readonly modelVersion: string;
  readonly revision: number;
  readonly fallbackReason: FallbackReason;
}

export interface RecommenderParts {
  readonly arena: Arena;
  readonly kernels: HostKernels;
  readonly reader: Reader;
  readonly revisions: Revisions;
  readonly world: World;
  readonly scale: Scale;
  readonly directory: ModelDirectory;
  readonly countMax: number;
}

export class Recommender {
  readonly #parts: RecommenderParts;
  readonly #ranking: Ranking;
  readonly #counts: CountRanker;
  readonly #key = new TextKey();

  constructor(parts: RecommenderParts) {
    const { arena, kernels, world, countMax } = parts;
    this.#parts = parts;
    this.#ranking = new Ranking(arena, kernels, world, countMax);
    this.#counts = new CountRanker(arena, world);
  }

  /** Throws MODEL_NOT_FOUND. */
  recommend(query: RecommendQuery): Recommendations {
    return this.#parts.reader.run(() => this.#recommend(query));
  }

  #recommend(query: RecommendQuery): Recommendations {
    const { directory, revisions } = this.#parts;
    // Read before the scores: what is learned meanwhile may show in them, never the other way round.
    const revision = revisions.learned;
    const user = this.#findUser(query.userId);
    const asked = query.model === '' ? directory.findDefault() : directory.require(query.model);
    const fallbackReason = this.#reasonNotTo(asked, user);
    const model = fallbackReason === '' ? asked : directory.findFallback();
    const row = model ? model.user(user) : NO_ROW;
    const restrictions = {
      seenBy: query.includeSeen || user === NO_ROW ? NO_ROW : user,
      excluded: this.#findItems(query.excludeIds),
    };
    const ask = { user: row, time: Date.now() / 1000 };
    const ranker = model ?? this.#counts;
    const rows = this.#findItems(query.candidateIds);
    const ranked =
      query.candidateIds.length === 0
        ? this.#ranking.ofAll(ranker, ask, query.count, restrictions)
        : this.#ranking.ofItems(ranker, ask, rows, query.count, restrictions);
    const predict = this.#predictor(asked, user);
    const items = ranked.map(({ row: item, score }) => this.#describe(item, score, predict(item)));
    if (query.candidateIds.length > 0) items.push(...this.#strangers(query, items, predict(NO_ROW)));
    return { items, model: model?.name ?? COUNTS_NAME, modelVersion: model?.version ?? '', revision, fallbackReason };
  }

  #reasonNotTo(model: Model | undefined, user: number): FallbackReason {
    if (!model || model.prequential.quarantinedAt > 0) return 'MODEL_NOT_AVAILABLE';
    const known = user !== NO_ROW && this.#parts.world.interactions.byUser.count(user) > 0;
    return known || model.plugin.ranksStrangers ? '' : 'UNKNOWN_USER';
  }

  #describe(row: number, score: number, predictedValue: number | undefined): RecommendedItem {
    return { itemId: this.#parts.world.items.text(row), score, predictedValue };
  }

  /** Candidates that nobody has rated yet: they come last, in the order of the request. */
  #strangers(
    query: RecommendQuery,
    known: readonly RecommendedItem[],
    predictedValue: number | undefined,
  ): RecommendedItem[] {
    const excluded = new Set(query.excludeIds);
    const ids = new Set(query.candidateIds.filter((id) => this.#findItem(id) < 0 && !excluded.has(id)));
    const score = known.at(-1)?.score ?? 0;
    return [...ids].slice(0, query.count - known.length).map((itemId) => ({ itemId, score, predictedValue }));
  }

  /** What the model that was asked expects, also where another one ranks for it. */
  #predictor(model: Model | undefined, user: number): (item: number) => number | undefined {
    const { scale } = this.#parts;
    if (!model?.scorer.predict || model.prequential.quarantinedAt > 0) return () => undefined;
    const { scorer, items } = model;
    const row = model.user(user);
    const expect = model.scorer.predict.bind(scorer);
    return (item) => scale.toExternal(expect(row, item < items ? item : NO_ROW));
  }

  #findUser(id: string): number {
    const row = this.#key.set(id) ? this.#parts.world.users.find(this.#key) : -1;
    return row < 0 ? NO_ROW : row;
  }

  #findItem(id: string): number {
    return this.#key.set(id) ? this.#parts.world.items.find(this.#key) : -1;
  }

  /** The rows of those ids that have one, each once. */
  #findItems(ids: readonly string[]): number[] {
    if (ids.length === 0) return [];
    return [...new Set(ids.map((id) => this.#findItem(id)))].filter((row) => row >= 0);
  }
}
