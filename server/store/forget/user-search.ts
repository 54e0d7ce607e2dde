import { unitKey } from '../../allocation/unit-key.ts';
import { decodeExposures } from '../exposure-codec.ts';
import { decodeUsers } from '../feature-codec.ts';
import { RATINGS_MAX, RatingBatch } from '../rating-batch.ts';
import { decodeRateRequest } from '../rating-codec.ts';
import { decodeRecord } from '../record.ts';

/** Whom to look for, and up to which record: what comes after it under the same id is of somebody new. */
export interface Sought {
  readonly userId: string;
  readonly last: number;
}

/** Of so few ids the bytes are looked for first: a record that does not have them is not decoded. */
const FEW_IDS = 8;

/** Looks for users in records of the journal. */
export class UserSearch {
  /** The last record of each. */
  readonly #last: Map<string, number>;
  /** Their ids and keys, as they stand in records. */
  readonly #ids: readonly Buffer[];
  readonly #lengths: ReadonlySet<number>;
  /** By what stands for them in exposures. */
  readonly #byKey: ReadonlyMap<bigint, string>;
  /** The ratings of the record that was looked at last, if it is one of ratings. */
  readonly batch = new RatingBatch(RATINGS_MAX);

  constructor(users: readonly Sought[]) {
    this.#last = new Map(users.map(({ userId, last }) => [userId, last]));
    const ids = users.map(({ userId }) => Buffer.from(userId));
    this.#lengths = new Set(ids.map(({ length }) => length));
    this.#byKey = new Map(users.map(({ userId }) => [unitKey(userId), userId]));
    this.#ids = [...ids, ...[...this.#byKey.keys()].map(bytesOf)];
  }

  /** From here on it is somebody else who has the id. */
  end(userId: string, last: number): void {
    this.#last.set(userId, last);
  }

  /** What record `revision` has of the users; undefined: nothing. */
  find(revision: number, bytes: Uint8Array): Found | undefined {
    const view = viewOf(bytes);
    if (this.#ids.length <= 2 * FEW_IDS && !this.#ids.some((id) => view.includes(id))) return undefined;
    const { type, payload } = decodeRecord(bytes, revision);
    if (type === 'users') {
      const owners = decodeUsers(payload).entries.flatMap(({ id }) => (this.has(id, revision) ? [id] : []));
      return owners.length > 0 ? { owners, hasRequestId: false } : undefined;
    }
    if (type === 'exposures') {
      const { exposures } = decodeExposures(payload);
      const owners = exposures.flatMap(
        ({ user, unit }) => this.ownerOfKey(user, revision) ?? this.ownerOfKey(unit, revision) ?? [],
      );
      return owners.length > 0 ? { owners, hasRequestId: false } : undefined;
    }
    if (type !== 'ratings') return undefined;
    decodeRateRequest(payload, this.batch);
    const owners: string[] = [];
    for (let n = 0; n < this.batch.count; n++) {
      const owner = this.ownerOf(n, revision);
      if (owner !== undefined) owners.push(owner);
    }
    return owners.length > 0 ? { owners, hasRequestId: this.batch.requestIdLength > 0 } : undefined;
  }

  /** Whose rating `n` of `batch` is, which is that of record `revision`; undefined: nobody's that is looked for. */
  ownerOf(n: number, revision: number): string | undefined {
    const { userStart, userLength } = this.batch;
    if (!this.#lengths.has(userLength[n])) return undefined;
    const id = this.batch.text(userStart[n], userLength[n]);
    return this.has(id, revision) ? id : undefined;
  }

  /** Whom the user, or the unit, of an exposure of record `revision` stands for; undefined: nobody who is looked for. */
  ownerOfKey(key: bigint, revision: number): string | undefined {
    const id = this.#byKey.get(key);
    return id !== undefined && this.has(id, revision) ? id : undefined;
  }

  /** Whether a user is looked for in record `revision`. */
  has(userId: string, revision: number): boolean {
    return revision <= (this.#last.get(userId) ?? 0);
  }
}

export interface Found {
  /** Of each rating, event, feature and exposure of theirs: whose it is. */
  readonly owners: readonly string[];
  readonly hasRequestId: boolean;
}

function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function bytesOf(key: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(key);
  return bytes;
}
