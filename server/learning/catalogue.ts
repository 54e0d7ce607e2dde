import { AccreteError, type FieldViolation } from '../errors.ts';
import type { ChangeAnswer } from '../exchange/messages.ts';
import type { Arena } from '../memory/arena.ts';
import { countValues } from '../memory/feature-values.ts';
import type { Features } from '../memory/features.ts';
import { type Ids, TextKey } from '../memory/ids.ts';
import type { WritableWorld } from '../memory/world.ts';
import { decodeItems, decodeUsers, type FeatureRequest } from '../store/feature-codec.ts';
import { encodeRecord } from '../store/record.ts';
import type { Teacher } from '../teaching/teacher.ts';

/** What an ask comes to: what is to be written, if anything, and what to answer. */
export interface Examined extends Omit<ChangeAnswer, 'revision'> {
  readonly record: Uint8Array | undefined;
}

/** Examines what callers tell of items and users, once everything before it is learned. */
export class Catalogue {
  readonly #world: WritableWorld;
  readonly #teacher: Teacher;
  readonly #arena: Arena;
  readonly #key = new TextKey();

  constructor(world: WritableWorld, teacher: Teacher, arena: Arena) {
    this.#world = world;
    this.#teacher = teacher;
    this.#arena = arena;
  }

  /** `payload`: an UpsertItemsRequest. Throws INVALID_FIELD, MEMORY_FULL. */
  examineItems(payload: Uint8Array): Examined {
    return this.#examine('items', payload, decodeItems(payload), this.#world.items, this.#world.itemFeatures);
  }

  /** `payload`: an UpsertUsersRequest. Throws INVALID_FIELD, MEMORY_FULL. */
  examineUsers(payload: Uint8Array): Examined {
    return this.#examine('users', payload, decodeUsers(payload), this.#world.users, this.#world.userFeatures);
  }

  /** How many of these items are there to be deleted. */
  countItems(ids: readonly string[]): number {
    return new Set(ids.filter((id) => this.#isKnown(id, this.#world.items, this.#world.itemFeatures))).size;
  }

  #examine(
    type: 'items' | 'users',
    payload: Uint8Array,
    request: FeatureRequest,
    ids: Ids,
    features: Features,
  ): Examined {
    const values = request.entries.map(({ id, merge }) => merge(this.#messageOf(id, ids, features)));
    requireLengths(
      type,
      values.map(({ embeddings }) => embeddings),
      features,
    );
    const growth = {
      rows: ids.rows + values.length,
      messages: values.length,
      messageBytes: values.reduce((sum, { message }) => sum + message.length, 0),
      values: values.reduce((sum, each) => sum + countValues(each), 0),
    };
    this.#requireRoom(features.growthBytes(growth), values.length);
    const updated = request.entries.filter(({ id }) => this.#isKnown(id, ids, features)).length;
    const counts = { created: values.length - updated, updated };
    if (request.validateOnly) return { record: undefined, ...counts };
    const record = encodeRecord({ type, receivedAtMs: Date.now(), namespace: '', payload });
    return { record, ...counts };
  }

  #messageOf(id: string, ids: Ids, features: Features): Uint8Array | undefined {
    const row = this.#rowOf(id, ids);
    return row < 0 ? undefined : features.message(row);
  }

  #isKnown(id: string, ids: Ids, features: Features): boolean {
    const row = this.#rowOf(id, ids);
    return row >= 0 && !features.isDeleted(row);
  }

  #rowOf(id: string, ids: Ids): number {
    return this.#key.set(id) ? ids.find(this.#key) : -1;
  }

  /** Everyone told of may be new, with a row in every model. */
  #requireRoom(featureBytes: number, rows: number): void {
    const models = this.#teacher.models.reduce((bytes, model) => bytes + model.growthBytes(rows), 0);
    if (featureBytes + models + this.#world.growthBytes(rows) <= this.#arena.freeBytes) return;
    const message =
      'The memory for what is known of items and users is used up: raise memory.budgetMiB and start again';
    throw new AccreteError('MEMORY_FULL', message);
  }
}

/** Embeddings of one name are of one length: that of the first one ever, which may stand in this request. */
function requireLengths(field: string, all: readonly ReadonlyMap<string, number>[], features: Features): void {
  const lengths = new Map<string, number>();
  const violations: FieldViolation[] = [];
  for (const [n, embeddings] of all.entries()) {
    for (const [name, length] of embeddings) {
      const fixed = features.embeddingLength(name) ?? lengths.get(name) ?? length;
      lengths.set(name, fixed);
      if (length === fixed) continue;
      const description = `has ${length} numbers, and embeddings of this name have ${fixed}`;
      violations.push({ field: `${field}[${n}].embeddings[${JSON.stringify(name)}]`, description });
    }
  }
  if (violations.length === 0) return;
  const [{ field: first, description }] = violations;
  throw new AccreteError('INVALID_FIELD', `${first} ${description}`, { violations });
}
