import { AccreteError, type FieldViolation } from '../errors.ts';
import type { Deletion } from '../exchange/messages.ts';
import type { Arena } from '../memory/arena.ts';
import { countValues, type FeatureValues } from '../memory/features/feature-values.ts';
import type { FeatureGrowth, Features } from '../memory/features/features.ts';
import { type Ids, TextKey } from '../memory/ids.ts';
import type { WritableWorld } from '../memory/world.ts';
import { encodeControl } from '../store/control.ts';
import { decodeItems, decodeUsers, type FeatureRequest } from '../store/feature-codec.ts';
import { encodeRecord } from '../store/record.ts';
import type { Classrooms } from '../teaching/classrooms.ts';
import type { Examined } from './examined.ts';

/** Examines what callers tell of items and users, once everything before it is learned. */
export class FeatureIntake {
  readonly #world: WritableWorld;
  readonly #classrooms: Classrooms;
  readonly #arena: Arena;
  readonly #key = new TextKey();

  constructor(classrooms: Classrooms, arena: Arena) {
    this.#world = classrooms.main.world;
    this.#classrooms = classrooms;
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

  /** Items known from ratings alone take a place among the features to be deleted. Throws MEMORY_FULL. */
  examineDeletion({ itemIds, validateOnly }: Deletion): Examined {
    const { items, itemFeatures } = this.#world;
    this.#requireRoom('items', { rows: 0, messages: 0, messageBytes: 0, values: 0 });
    const deleted = new Set(itemIds.filter((id) => this.#isKnown(id, items, itemFeatures))).size;
    return { record: validateOnly ? undefined : encodeControl({ type: 'itemsDeleted', itemIds }), deleted };
  }

  #examine(
    type: 'items' | 'users',
    payload: Uint8Array,
    request: FeatureRequest,
    ids: Ids,
    features: Features,
  ): Examined {
    const values = request.entries.map(({ id, merge }) => merge(this.#messageOf(id, ids, features)));
    requireWhole([...findTimes(values), ...findLengths(values, features)], type);
    const growth = {
      rows: values.length,
      messages: values.length,
      messageBytes: values.reduce((sum, { message }) => sum + message.length, 0),
      values: values.reduce((sum, each) => sum + countValues(each), 0),
    };
    this.#requireRoom(type, growth);
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

  /** Everyone told of may be new, with a row in every model. `growth`: with rows that are new. */
  #requireRoom(type: 'items' | 'users', { rows, ...growth }: FeatureGrowth): void {
    const needed = this.#classrooms.growthBytes(({ world, teacher }) => {
      const [ids, features] = type === 'items' ? [world.items, world.itemFeatures] : [world.users, world.userFeatures];
      const bytes = features.growthBytes({ ...growth, rows: ids.rows + rows });
      return bytes + teacher.growthBytes(rows) + world.growthBytes(rows);
    });
    if (needed <= this.#arena.freeBytes) return;
    const message =
      'The memory for what is known of items and users is used up: raise memory.budgetMiB and start again';
    throw new AccreteError('MEMORY_FULL', message);
  }
}

/** What a caller is told of at once. */
const VIOLATIONS_MAX = 100;

/** Refuses what is wrong together with what is known; the request by itself was checked. Throws INVALID_FIELD. */
function requireWhole(faults: readonly Fault[], list: string): void {
  if (faults.length === 0) return;
  const violations = faults
    .slice(0, VIOLATIONS_MAX)
    .map(({ n, field, description }) => ({ field: `${list}[${n}].${field}`, description }));
  const [{ field, description }] = violations;
  throw new AccreteError('INVALID_FIELD', `${field} ${description}`, { violations, violationCount: faults.length });
}

/** What is wrong with number `n` of a request. */
interface Fault extends FieldViolation {
  readonly n: number;
}

function findTimes(all: readonly FeatureValues[]): Fault[] {
  const description = 'is not later than available_from, which is known already: replace both';
  return [...all.entries()]
    .filter(([, { fromSeconds, untilSeconds }]) => fromSeconds > 0 && untilSeconds <= fromSeconds)
    .map(([n]) => ({ n, field: 'available_until', description }));
}

/** Embeddings of one name are of one length: that of the first one ever, which may stand in this request. */
function findLengths(all: readonly FeatureValues[], features: Features): Fault[] {
  const lengths = new Map<string, number>();
  const faults: Fault[] = [];
  for (const [n, { embeddings }] of all.entries()) {
    for (const [name, length] of embeddings) {
      const fixed = features.embeddingLength(name) ?? lengths.get(name) ?? length;
      lengths.set(name, fixed);
      if (length === fixed) continue;
      const description = `has ${length} numbers, and embeddings of this name have ${fixed}`;
      faults.push({ n, field: `embeddings[${JSON.stringify(name)}]`, description });
    }
  }
  return faults;
}
