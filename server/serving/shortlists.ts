import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Device, Workspace } from '../../plugins/contract/index.ts';
import { AccreteError } from '../errors.ts';
import { TextKey } from '../memory/ids.ts';
import type { Reader } from '../memory/readers.ts';
import type { Revisions } from '../memory/revisions.ts';
import type { World } from '../memory/world.ts';
import { FactorMatrices, type ItemVectors } from '../models/factor-matrices.ts';
import type { Model } from '../models/model.ts';
import { DeviceFailure } from '../tensor/operations.ts';
import { chooseAnswerer } from './answerer.ts';
import { poolSize } from './diversity.ts';
import type { ModelDirectory } from './model-directory.ts';
import type { RecommendQuery } from './recommender.ts';
import type { Shortlist } from './shortlist.ts';

export interface ShortlistParts {
  readonly reader: Reader;
  readonly revisions: Revisions;
  readonly world: World;
  readonly directory: ModelDirectory;
  readonly device: Device;
}

export type ListOptions = Omit<RecommendQuery, 'subject' | 'shown' | 'time' | 'recommendationId'>;

/** Whose list is made without: they have seen so much that a shortlist would be long. */
const SEEN_MAX = 256;
/** The most items of a shortlist. */
const ROWS_MAX = 1024;
/** Numbers of vectors that are copied in one turn: others wait for that. */
const TILE = 2 ** 17;
/** Numbers of vectors that are brought there at a time: to find the best of few items takes a card as long as of many. */
const STAGE = 2 ** 22;

/**
 * Finds for many users at once, by products on the device, the best items of each: as many as their list takes, and as many
 * more as they have seen. Lists are then made of those by the model's own scores, as ever; what is spared is to score all
 * other items. Nobody gets one where that does not pay, and where it fails.
 */
export class Shortlists {
  readonly #parts: ShortlistParts;
  readonly #key = new TextKey();

  constructor(parts: ShortlistParts) {
    this.#parts = parts;
  }

  /** By user. */
  async find(userIds: readonly string[], options: ListOptions): Promise<ReadonlyMap<string, Shortlist>> {
    const lists = new Map<string, Shortlist>();
    const { device, reader } = this.#parts;
    if (!Number.isFinite(device.crossover) || options.candidateIds.length > 0) return lists;
    const asked = reader.run(() => this.#gather(userIds, options));
    if (!asked || asked.count > ROWS_MAX) return lists;
    const { model, revision, items, matrices, users, count } = asked;
    if (users.length * items * matrices.width < device.crossover) return lists;
    try {
      const { rows } = await device.run((on) => this.#best(on, asked));
      for (const [n, user] of users.entries())
        lists.set(user, { model, revision, rows: rows.slice(n * count, (n + 1) * count).sort() });
    } catch (error) {
      if (!isOfDevice(error)) throw error;
    }
    return lists;
  }

  /** Who can have one: those whom the same model answers, by products. */
  #gather(userIds: readonly string[], options: ListOptions): Asked | undefined {
    const { revisions, directory, world } = this.#parts;
    // Read before anything else: what is learned meanwhile may show, never the other way round.
    const revision = revisions.learned;
    const time = Date.now() / 1000;
    const found: { readonly id: string; readonly row: number; readonly seen: number }[] = [];
    let model: Model | undefined;
    for (const id of userIds) {
      const row = this.#key.set(id) ? world.users.find(this.#key) : -1;
      const seen = row < 0 || options.includeSeen ? 0 : seenCount(world, row);
      if (row < 0 || seen > SEEN_MAX) continue;
      const answerer = answererOf(directory, options.model, row);
      model ??= answerer;
      if (model && !model.scorer.factors) return undefined;
      if (answerer && answerer === model) found.push({ id, row, seen });
    }
    const matrices = model && FactorMatrices.of(model);
    if (!model || !matrices) return undefined;
    const asker = model;
    const { vectors, places } = matrices.copyUsers(found.map(({ row }) => ({ user: asker.user(row), time })));
    const known = places.map((place) => found[place]);
    const { items } = model;
    const listed = (options.diversity > 0 ? poolSize(options.count) : options.count) + 1;
    const most = known.reduce((most, { seen }) => Math.max(most, seen), 0);
    const count = Math.min(items, listed + options.excludeIds.length + most);
    return known.length === 0 || count === 0
      ? undefined
      : { model, revision, items, matrices, vectors, count, users: known.map(({ id }) => id) };
  }

  /** Of stage after stage. Should the model go meanwhile, what is found is worth nothing, and nobody uses it. */
  async #best(on: Workspace, { items, matrices, users, vectors, count }: Asked): Promise<Best> {
    const { width } = matrices;
    const queries = on.upload(vectors, users.length, width);
    const size = Math.ceil(STAGE / width);
    let best: Best = { rows: new Uint32Array(), scores: new Float32Array(), count: 0 };
    for (let from = 0; from < items; from += size) {
      const rows = Math.min(size, items - from);
      const { vectors: own, biases } = await this.#copy(matrices, from, rows);
      const scores = on.tidy(() => on.scoreBatch(queries, on.upload(own, rows, width), on.upload(biases, 1, rows)));
      const most = Math.min(count, rows);
      const top = await on.topK(scores, most);
      on.free(scores);
      best = merge(best, { rows: top.items.map((item) => from + item), scores: top.scores, count: most }, count);
    }
    return best;
  }

  /** Item rows from `from` on, tile after tile. */
  async #copy(matrices: FactorMatrices, from: number, rows: number): Promise<ItemVectors> {
    const size = Math.ceil(TILE / matrices.width);
    const found = matrices.reserve(rows);
    for (let at = 0; at < rows; at += size) {
      const end = from + Math.min(rows, at + size);
      this.#parts.reader.run(() => matrices.copyItems(from + at, end, found, at));
      await nextTurn();
    }
    return found;
  }
}

interface Asked {
  readonly model: Model;
  readonly revision: number;
  readonly items: number;
  readonly matrices: FactorMatrices;
  readonly users: readonly string[];
  readonly vectors: Float32Array;
  /** Of each. */
  readonly count: number;
}

/** The best items of each of some users, `count` a user, in falling order. */
interface Best {
  readonly rows: Uint32Array;
  readonly scores: Float32Array;
  readonly count: number;
}

/** The best `most` of two. */
function merge(a: Best, b: Best, most: number): Best {
  const users = b.rows.length / b.count;
  const count = Math.min(most, a.count + b.count);
  const rows = new Uint32Array(users * count);
  const scores = new Float32Array(users * count);
  for (let user = 0; user < users; user++) {
    let [left, right] = [user * a.count, user * b.count];
    const [leftEnd, rightEnd] = [left + a.count, right + b.count];
    for (let at = user * count; at < (user + 1) * count; at++) {
      const isLeft = left < leftEnd && !(right < rightEnd && b.scores[right] > a.scores[left]);
      rows[at] = isLeft ? a.rows[left] : b.rows[right];
      scores[at] = isLeft ? a.scores[left++] : b.scores[right++];
    }
  }
  return { rows, scores, count };
}

/** The model that a user's list comes from, when it ranks for that user; errors are for whoever makes the list. */
function answererOf(directory: ModelDirectory, name: string, row: number): Model | undefined {
  try {
    const { model, ranksFor } = chooseAnswerer(directory, name, { type: 'user', row });
    return ranksFor.type === 'user' && ranksFor.row === row ? model : undefined;
  } catch {
    return undefined;
  }
}

/** At most so many items are left out. */
function seenCount({ interactions, events, kinds }: World, user: number): number {
  return interactions.byUser.count(user) + (kinds.hiding ? events.byUser.count(user) : 0);
}

function isOfDevice(error: unknown): boolean {
  return error instanceof DeviceFailure || (error instanceof AccreteError && error.reason === 'DEVICE_FULL');
}
