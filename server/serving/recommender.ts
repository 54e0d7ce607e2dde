import { NO_ROW } from '../../plugins/contract/index.ts';
import { AccreteError } from '../errors.ts';
import type { Arena } from '../memory/arena.ts';
import { TextKey } from '../memory/ids.ts';
import type { HostKernels } from '../memory/kernels/host-kernels.ts';
import { NO_TEAM } from '../memory/ledger/answers.ts';
import type { Reader } from '../memory/readers.ts';
import type { Revisions } from '../memory/revisions.ts';
import type { Scale } from '../memory/scale.ts';
import type { World } from '../memory/world.ts';
import type { Model } from '../models/model.ts';
import type { Score } from '../models/scores.ts';
import { type Answerer, type Asker, chooseAnswerer, type FallbackReason, isAlive } from './answerer.ts';
import { type Answer, counterfactuals, RIVALS } from './counterfactuals.ts';
import { COUNTS_NAME, describer, type RecommendedItem } from './describer.ts';
import { Diversity, poolSize } from './diversity.ts';
import { type Lottery, lotteryOf, PLACES_MAX, randomFor } from './exploration/lottery.ts';
import { type Expression, matchesNothingKnown } from './filter/expression.ts';
import type { FilterMasks } from './filter/masks.ts';
import { type Drafted, teamDraft } from './interleave.ts';
import type { ModelDirectory } from './model-directory.ts';
import { type Ranked, type Ranker, Ranking, rankByCounts } from './ranking.ts';
import type { Shortlist } from './shortlist.ts';

/** Answers Recommend from the shared memory: who answers, scores, restrictions, the best. Synchronous: no lock, no disk. */

export type Subject =
  | { readonly type: 'user'; readonly userId: string }
  | { readonly type: 'item'; readonly itemId: string }
  /** The latest last. */
  | { readonly type: 'session'; readonly itemIds: readonly string[] };

export interface RecommendQuery {
  readonly subject: Subject;
  /** "" is the default model. */
  readonly model: string;
  /** Who answers in the place of the default model, as that would: the model of an arm. */
  readonly standIn?: string | undefined;
  /** Whose list is drafted with that of `standIn`, the other team's. */
  readonly rival?: string | undefined;
  readonly count: number;
  /** When not empty, these are ranked, and nothing else. */
  readonly candidateIds: readonly string[];
  readonly excludeIds: readonly string[];
  /** Whether items that the user has seen may be recommended. */
  readonly includeSeen: boolean;
  readonly filter: Expression | undefined;
  /** From 0, none, to 1. */
  readonly diversity: number;
  readonly explain: boolean;
  /** Seconds since 1970; undefined: now. */
  readonly time: number | undefined;
  /** What earlier pages showed: rows or, where there are candidates, places among them. */
  readonly shown: readonly number[];
  /** What the answer will be called: what is drawn of it follows from that. Only asked where something is. */
  readonly recommendationId: () => string;
  /** Where its items are, if somebody has looked. */
  readonly shortlist?: Shortlist;
}

export interface Recommendations {
  readonly items: readonly RecommendedItem[];
  /** What this page shows, in the numbers of `RecommendQuery.shown`. */
  readonly shown: readonly number[];
  /** Rows of the items; NO_ROW: one that nobody knows. */
  readonly rows: readonly number[];
  /** How likely each was to get its place; undefined: the list was not drawn. */
  readonly propensities: readonly number[] | undefined;
  /** Which team brought each (`NO_TEAM`: neither); undefined: the list was not drafted. */
  readonly teams: readonly number[] | undefined;
  /** Whether a model that explores answered, or drafted with one that did. */
  readonly isExploring: boolean;
  /** NO_ROW: the list is for nobody who is known. */
  readonly userRow: number;
  /** Whether there is anything left for another page. */
  readonly hasMore: boolean;
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
  readonly masks: FilterMasks;
  readonly countMax: number;
}

/** What is asked, with what was found of it. */
interface Asking {
  readonly query: RecommendQuery;
  readonly candidates: readonly number[];
  readonly asker: Asker;
  readonly now: number;
}

interface List {
  readonly ranked: readonly Ranked[];
  readonly hasMore: boolean;
  readonly isDrawn: boolean;
  readonly isExploring: boolean;
  readonly describe: ReturnType<typeof describer>;
}

interface Draft extends Pick<List, 'isExploring'> {
  readonly items: readonly (Drafted & Pick<List, 'describe'>)[];
}

export class Recommender {
  readonly #parts: RecommenderParts;
  readonly #ranking: Ranking;
  readonly #diversity: Diversity;
  readonly #key = new TextKey();

  constructor(parts: RecommenderParts) {
    const { arena, kernels, world, countMax } = parts;
    this.#parts = parts;
    this.#ranking = new Ranking(arena, kernels, world, Math.max(poolSize(countMax) + 1, countMax + RIVALS));
    this.#diversity = new Diversity(arena, kernels);
  }

  /** Throws MODEL_NOT_FOUND, MODEL_FAILED, ITEM_NOT_FOUND, CAPABILITY_MISSING. */
  recommend(query: RecommendQuery): Recommendations {
    return this.#parts.reader.run(() => this.#recommend(query));
  }

  /** Gives its scratch memory back; it answers no more. */
  release(): void {
    for (const part of [this.#ranking, this.#diversity]) part.release();
  }

  #recommend(query: RecommendQuery): Recommendations {
    const { directory, revisions } = this.#parts;
    // Read before the scores: what is learned meanwhile may show in them, never the other way round.
    const revision = query.shortlist?.revision ?? revisions.learned;
    const now = query.time ?? Date.now() / 1000;
    const asker = this.#findAsker(query.subject);
    const answerer = chooseAnswerer(directory, query.model, asker, query.standIn);
    const candidates = query.candidateIds.map((id) => this.#findItem(id));
    const asking = { query, candidates, asker, now };
    const own = this.#list(asking, answerer);
    const drafted = query.rival === undefined ? undefined : this.#draft(asking, own);
    const ranked = drafted?.items.map(({ item }) => item) ?? own.ranked;
    const chances = own.isDrawn ? ranked.map(({ chance }) => chance?.() ?? 1) : undefined;
    const items =
      drafted?.items.map(({ item, describe }) => describe.known(item)) ??
      ranked.map((item, n) => own.describe.known(item, chances?.[n]));
    const strangers = strangersOf(query, candidates).map((place) => ({ place, itemId: query.candidateIds[place] }));
    const added = strangers.slice(0, query.count - items.length);
    const last = ranked.at(-1)?.score ?? 0;
    return {
      items: [...items, ...added.map(({ itemId }) => own.describe.stranger(itemId, last, own.isDrawn ? 1 : undefined))],
      shown: [...entriesOf(ranked, candidates), ...added.map(({ place }) => place)],
      rows: [...ranked.map(({ row }) => row), ...added.map(() => NO_ROW)],
      propensities: chances && [...chances, ...added.map(() => 1)],
      isExploring: own.isExploring || drafted?.isExploring === true,
      teams: drafted && [...drafted.items.map(({ team }) => team), ...added.map(() => NO_TEAM)],
      userRow: asker.type === 'user' ? asker.row : NO_ROW,
      hasMore: own.hasMore || items.length + strangers.length > query.count,
      model: answerer.model?.name ?? COUNTS_NAME,
      modelVersion: answerer.model?.version ?? '',
      revision,
      fallbackReason: answerer.fallbackReason,
    };
  }

  /** What one model would answer, or the counts. */
  #list({ query, candidates, asker, now }: Asking, { asked, model, ranksFor }: Answerer): List {
    const { world, scale, arena } = this.#parts;
    const plain = model ? rankerOf(model, ranksFor, now) : rankByCounts(arena, world);
    const lottery = lotteryFor(query, model, ranksFor, now);
    const ranker = lottery ? drawnBy(lottery, plain) : plain;
    const isShort = query.shortlist?.model === model && ranksFor === asker && !lottery;
    const shortlist = isShort ? query.shortlist : undefined;
    const found = this.#rank(ranker, { ...query, shortlist }, candidates, asker, now);
    const rankAgain = (score: Score, count: number) =>
      this.#rank({ ...plain, score }, { ...query, count: count - 1, shortlist: undefined }, candidates, asker, now);
    const heldUpBy = holders(query, model, ranksFor, now, rankAgain);
    const told = { asked, asker, answerer: model, ranksFor, time: now, explains: query.explain, heldUpBy };
    return {
      ranked: this.#diversify(found, query, model).slice(0, query.count),
      hasMore: found.length > query.count,
      isDrawn: lottery !== undefined,
      isExploring: model?.scorer.explores !== undefined,
      describe: describer({ world, scale }, told),
    };
  }

  /** A list with that of the rival, in one; whether the rival explores. */
  #draft(asking: Asking, own: List): Draft {
    const { query, asker } = asking;
    const rival = this.#list(asking, chooseAnswerer(this.#parts.directory, '', asker, query.rival));
    const random = randomFor(0, query.recommendationId());
    const drafted = teamDraft([own.ranked, rival.ranked], query.count, random);
    const items = drafted.map((each) => ({ ...each, describe: (each.team === 1 ? rival : own).describe }));
    return { items, isExploring: rival.isExploring };
  }

  /** Throws ITEM_NOT_FOUND. */
  #findAsker(subject: Subject): Asker {
    if (subject.type === 'user') {
      const row = this.#key.set(subject.userId) ? this.#parts.world.users.find(this.#key) : -1;
      return { type: 'user', row: row < 0 ? NO_ROW : row };
    }
    const ids = subject.type === 'item' ? [subject.itemId] : subject.itemIds;
    const { itemFeatures } = this.#parts.world;
    const rows = ids.map((id) => this.#findItem(id)).filter((row) => row >= 0 && !itemFeatures.isDeleted(row));
    if (rows.length === 0) throw notFound(subject.type, ids);
    return subject.type === 'item' ? { type: 'item', row: rows[0] } : { type: 'session', rows: Uint32Array.from(rows) };
  }

  /** One more than is asked for, so that it is known whether there is a next page. */
  #rank(ranker: Ranker, query: RecommendQuery, candidates: readonly number[], asker: Asker, now: number): Ranked[] {
    const { masks, world } = this.#parts;
    const { filter, shown, shortlist } = query;
    const count = (query.diversity > 0 ? poolSize(query.count) : query.count) + 1;
    const restrictions = {
      seenBy: asker.type === 'user' && !query.includeSeen ? asker.row : NO_ROW,
      excluded: [...this.#findItems(query.excludeIds), ...rowsOf(asker)],
      now,
      mask: filter && masks.evaluate(filter, world.items.rows),
    };
    if (candidates.length === 0) {
      restrictions.excluded.push(...shown);
      const short = shortlist ? this.#ranking.ofItems(ranker, shortlist.rows, count, restrictions) : [];
      // Whoever is not on it scores less than all of it.
      if (short.length === count) return short;
      return this.#ranking.ofAll(ranker, count, restrictions);
    }
    const left = new Set(candidates);
    for (const place of shown) left.delete(candidates[place]);
    return this.#ranking.ofItems(ranker, knownOf(left), count, restrictions);
  }

  /** Throws CAPABILITY_MISSING when no model has vectors. */
  #diversify(
    found: readonly Ranked[],
    { diversity, count }: RecommendQuery,
    model: Model | undefined,
  ): readonly Ranked[] {
    if (diversity === 0) return found;
    const able = this.#parts.directory.substitutes.filter(
      (candidate) => candidate.scorer.vectors && isAlive(candidate),
    );
    const chosen = able.find((candidate) => candidate === model) ?? able.at(0);
    const vectors = chosen?.scorer.vectors;
    if (vectors) return this.#diversity.choose(found, count, diversity, vectors, chosen.items);
    throw new AccreteError('CAPABILITY_MISSING', 'No model has vectors of items, which diversity needs: leave it out', {
      metadata: { capability: 'vectors' },
    });
  }

  #findItem(id: string): number {
    return this.#key.set(id) ? this.#parts.world.items.find(this.#key) : -1;
  }

  /** The rows of those ids that have one, each once. */
  #findItems(ids: readonly string[]): number[] {
    if (ids.length === 0) return [];
    return knownOf(new Set(ids.map((id) => this.#findItem(id))));
  }
}

function knownOf(rows: Iterable<number>): number[] {
  return [...rows].filter((row) => row >= 0);
}

/** Places of candidates that nobody knows yet, each once: they come last, in the order of the request. */
function strangersOf(
  { candidateIds, excludeIds, filter, shown }: RecommendQuery,
  candidates: readonly number[],
): number[] {
  if (filter && !matchesNothingKnown(filter)) return [];
  const done = new Set(excludeIds);
  for (const place of shown) done.add(candidateIds[place]);
  const places: number[] = [];
  for (const [place, id] of candidateIds.entries()) {
    if (candidates[place] >= 0 || done.has(id)) continue;
    done.add(id);
    places.push(place);
  }
  return places;
}

/** What a page of known items adds to `RecommendQuery.shown`. */
function entriesOf(ranked: readonly Ranked[], candidates: readonly number[]): number[] {
  if (candidates.length === 0) return ranked.map(({ row }) => row);
  const placeOf = new Map(candidates.map((row, place) => [row, place]));
  return ranked.map(({ row }) => placeOf.get(row) as number);
}

/** A model bound to whose list it ranks. A row that it does not have yet is unknown to it. */
function rankerOf(model: Model, asker: Asker, time: number): Ranker {
  const { scorer, items } = model;
  switch (asker.type) {
    case 'user': {
      const query = { user: model.user(asker.row), time };
      return { items, score: (spans, count, out) => scorer.score(query, spans, count, out) };
    }
    case 'item': {
      const row = asker.row < items ? asker.row : NO_ROW;
      return { items, score: (spans, count, out) => scorer.similar?.(row, spans, count, out) };
    }
    case 'session': {
      const session = { items: asker.rows.filter((row) => row < items), time };
      if (session.items.length === 0) return rankerOf(model, { type: 'user', row: NO_ROW }, time);
      return { items, score: (spans, count, out) => scorer.session?.(session, spans, count, out) };
    }
  }
}

/** How a list for a user is drawn; not where its items are to differ, or another list is drafted with it. */
function lotteryFor(
  { diversity, count, rival, recommendationId }: RecommendQuery,
  model: Model | undefined,
  asker: Asker,
  time: number,
): Lottery | undefined {
  const explores = model?.scorer.explores;
  if (!explores || rival !== undefined || asker.type !== 'user' || diversity > 0 || count > PLACES_MAX)
    return undefined;
  const query = { user: model.user(asker.row), time };
  return lotteryOf(explores, query, model.descriptor.config.seed, recommendationId());
}

/** What scores are drawn of is chosen by what they may be at best. */
function drawnBy(lottery: Lottery, plain: Ranker): Ranker {
  const { exploration, query } = lottery;
  if (exploration.by === 'epsilon') return { ...plain, lottery };
  return { ...plain, lottery, score: (spans, count, out) => exploration.hope(query, spans, count, out) };
}

/** Which ratings hold an item up; of a list whose order is not that of its scores, that is not known. */
function holders(
  { explain, diversity, count, rival }: RecommendQuery,
  model: Model | undefined,
  asker: Asker,
  time: number,
  rank: Answer['rank'],
): (item: number) => readonly number[] {
  if (!explain || !model || asker.type !== 'user' || asker.row === NO_ROW) return () => [];
  if (diversity > 0 || rival !== undefined) return () => [];
  return counterfactuals({ scorer: model.scorer, query: { user: model.user(asker.row), time }, count, rank });
}

/** Items that are left out since they were asked about. */
function rowsOf(asker: Asker): number[] {
  if (asker.type === 'user') return [];
  return asker.type === 'item' ? [asker.row] : [...asker.rows];
}

function notFound(type: 'item' | 'session', ids: readonly string[]): AccreteError {
  const [first = ''] = ids;
  const message =
    type === 'item'
      ? `There is no item ${JSON.stringify(first)}: nobody rated it or told of it, or it was deleted`
      : `No item of the session is known, such as ${JSON.stringify(first)}: ask for a user instead`;
  return new AccreteError('ITEM_NOT_FOUND', message, { metadata: { item_id: first } });
}
