import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { UpsertItemsRequest } from '../../proto/gen/accrete/v1/catalog.ts';
import { Rating } from '../../proto/gen/accrete/v1/rating.ts';
import { RateRequest } from '../../proto/gen/accrete/v1/recommender.ts';
import { UpsertUsersRequest } from '../../proto/gen/accrete/v1/user.ts';
import { Arena } from '../memory/arena.ts';
import type { ArrivalFields, Arrivals } from '../memory/arrivals.ts';
import { TextKey } from '../memory/ids.ts';
import { loadHostKernels } from '../memory/kernels/host-kernels.ts';
import { Scale } from '../memory/scale.ts';
import { WritableWorld } from '../memory/world.ts';
import { Peers } from '../models/peers.ts';
import { encodeControl } from '../store/control.ts';
import { Places } from '../store/forget/places.ts';
import { UserSearch } from '../store/forget/user-search.ts';
import { withoutUsers } from '../store/forget-codec.ts';
import { decodeRecord, encodeRecord, type RecordType } from '../store/record.ts';
import { Follower, type FollowerOptions } from './follower.ts';
import { Teacher } from './teacher.ts';

/**
 * A journal without those who were forgotten, learned from its first record, comes to what the one with them came to: live,
 * after the records that forgot them; also when it was left half rewritten.
 */

/** Of a world, which sets much of it aside. */
const WORLD_BYTES = 16 * 2 ** 20;
const USERS = ['ann', 'an', 'anna', 'n', 'bob', 'ä', 'a\u0308', '日本', 'i1', 'x'.repeat(256)];
const ITEMS = ['i1', 'i2', 'i3', 'i11', 'ann', '日', '本', 'only'];
const KINDS = { click: { weight: 1, hides: false }, buy: { weight: 2, hides: true } };

/** Learns a journal whose first record has number 1. */
class School {
  readonly world = WritableWorld.create(Arena.create(WORLD_BYTES), 1);
  readonly #follower: Follower;
  #revision = 0;

  constructor(options: FollowerOptions = {}) {
    this.world.kinds.configure(KINDS);
    const { arena } = this.world;
    const host = { arena, world: this.world, scale: new Scale(1, 5), peers: new Peers() };
    const teacher = new Teacher(host, loadHostKernels(arena.memory), [], { rankEvery: 0, onQuarantine: () => {} });
    this.#follower = new Follower(this.world, teacher, () => {}, options);
  }

  static of(records: readonly Uint8Array[]): WritableWorld {
    const school = new School();
    for (const record of records) school.follow(record);
    return school.world;
  }

  follow(record: Uint8Array): void {
    this.#follower.follow(++this.#revision, record);
  }

  rowOf(userId: string): number {
    const key = new TextKey();
    return key.set(userId) ? this.world.users.find(key) : -1;
  }
}

const anyRating = fc
  .record({
    user: fc.nat(USERS.length - 1),
    item: fc.nat(ITEMS.length - 1),
    kind: fc.constantFrom('', '', 'click', 'buy'),
    value: fc.integer({ min: 1, max: 5 }),
    hasValue: fc.boolean(),
    retract: fc.boolean(),
  })
  .map(({ user, item, kind, value, hasValue, retract }) =>
    Rating.fromPartial({
      userId: USERS[user],
      itemId: ITEMS[item],
      kind,
      value: !retract && (kind === '' || hasValue) ? value : undefined,
      retract,
    }),
  );
const anyStep = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ ratings: fc.array(anyRating, { minLength: 1, maxLength: 6 }), id: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ users: fc.uniqueArray(fc.nat(USERS.length - 1), { minLength: 1, maxLength: 3 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ items: fc.uniqueArray(fc.nat(ITEMS.length - 1), { minLength: 1, maxLength: 3 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      forget: fc.uniqueArray(fc.nat(USERS.length - 1), { minLength: 1, maxLength: 3 }),
      kept: fc.nat(100),
    }),
  },
);

function encode(type: RecordType, payload: Uint8Array, n: number): Uint8Array {
  return encodeRecord({ type, receivedAtMs: 1e12 + n, namespace: '', payload });
}

function recordOf(step: Exclude<StepOf, { forget: number[] }>, n: number): Uint8Array {
  if ('ratings' in step) {
    const request = RateRequest.fromPartial({ ratings: step.ratings, requestId: step.id ? `request ${n}` : '' });
    return encode('ratings', RateRequest.encode(request).finish(), n);
  }
  if ('users' in step) {
    const users = step.users.map((user) => ({
      userId: USERS[user],
      labels: [`label ${n % 3}`, `own ${user}`, `own ${user} of ${n}`],
    }));
    return encode('users', UpsertUsersRequest.encode(UpsertUsersRequest.fromPartial({ users })).finish(), n);
  }
  const items = step.items.map((item) => ({ itemId: ITEMS[item] }));
  return encode('items', UpsertItemsRequest.encode(UpsertItemsRequest.fromPartial({ items })).finish(), n);
}

type StepOf = typeof anyStep extends fc.Arbitrary<infer Step> ? Step : never;

/** Takes users out of the records from number `from` on. */
function purge(records: Uint8Array[], userIds: readonly string[], from = 0): void {
  const search = new UserSearch(userIds.map((userId) => ({ userId, last: records.length })));
  const entries = () => records.map((record, n) => ({ revision: n + 1, record }));
  const places = Places.find(search, entries);
  for (let n = from; n < records.length; n++) {
    const isTheirs = (userId: string) => search.has(userId, n + 1);
    if (search.find(n + 1, records[n])) records[n] = withoutUsers(isTheirs, n + 1, records[n], places);
  }
}

/** All that a world says, by the rows that have the same numbers in each. */
function tell({ users, items, userFeatures, interactions, events }: WritableWorld) {
  const { byUser } = interactions;
  const named = (lists: ArrivalFields[][]) =>
    lists.map((list) => list.map((fields) => ({ ...fields, kind: events.kindName(fields.kind) })));
  return {
    users: Array.from({ length: users.rows }, (_, row) => [row, users.text(row), users.isNobody(row)]),
    items: Array.from({ length: items.rows }, (_, row) => items.text(row)),
    features: Array.from({ length: users.rows }, (_, row) => Buffer.from(userFeatures.message(row) ?? []).toString()),
    // Kinds are numbered by their first event, whosever it was.
    ratings: named(listed(interactions, users.rows)),
    events: named(listed(events, users.rows)),
    raters: Array.from({ length: items.rows }, (_, row) => interactions.byItem.count(row)),
    count: [interactions.count, events.count, byUser.rows],
  };
}

function termsOf({ userFeatures: { terms } }: WritableWorld): string[] {
  return Array.from({ length: terms.count }, (_, term) => terms.text(term));
}

function listed<Fields extends ArrivalFields>(arrivals: Arrivals<Fields>, users: number): ArrivalFields[][] {
  return Array.from({ length: users }, (_, user) => {
    const pairs = arrivals.byUser.pairs(user);
    return Array.from({ length: arrivals.byUser.countAt(pairs) }, (_, n) => {
      const fields: ArrivalFields = { user: 0, item: 0, kind: 0, value: 0, weight: 0, seconds: 0, nanos: 0 };
      arrivals.read(arrivals.byUser.words[pairs + 2 * n + 1], fields as Fields);
      return { ...fields };
    });
  });
}

function names(record: Uint8Array, revision: number): string[] {
  const { type, payload } = decodeRecord(record, revision);
  if (type === 'ratings') return RateRequest.decode(payload).ratings.map(({ userId }) => userId);
  return type === 'users' ? UpsertUsersRequest.decode(payload).users.map(({ userId }) => userId) : [];
}

test('whatever the journal: rows, ratings, events and features of all others are what they were', () => {
  fc.assert(
    fc.property(fc.array(anyStep, { minLength: 1, maxLength: 25 }), (steps) => {
      const live = new School();
      const journal: Uint8Array[] = [];
      for (const [n, step] of steps.entries()) {
        const gone = 'forget' in step ? step.forget : [];
        const records = 'forget' in step ? gone.map((user) => forgotten(live, USERS[user])) : [recordOf(step, n)];
        for (const record of records) live.follow(record);
        journal.push(...records);
        if (!('forget' in step)) continue;
        const ids = gone.map((user) => USERS[user]);
        // Cut off when only the later files were rewritten, and gone on with.
        purge(journal, ids, Math.min(step.kept, journal.length));
        assert.deepEqual(tell(School.of(journal)), tell(live.world), 'half rewritten');
        purge(journal, ids);
        assert.deepEqual(tell(School.of(journal)), tell(live.world));
        for (const user of gone) {
          const left = journal.filter((each, at) => names(each, at + 1).includes(USERS[user]));
          assert.deepEqual(left, []);
          assert.equal(live.rowOf(USERS[user]), -1);
          assert.ok(!termsOf(live.world).some((text) => text.startsWith(`own ${user}`)));
        }
      }
      assert.deepEqual(tell(School.of(journal)), tell(live.world));
    }),
    { numRuns: 80 },
  );
});

function forgotten(live: School, userId: string): Uint8Array {
  return encodeControl({ type: 'forgotten', user: live.rowOf(userId), note: 'note' });
}

test('where lessons were left out, nobody is forgotten in the place of somebody else', () => {
  const rate = (userId: string) => Rating.fromPartial({ userId, itemId: 'i1', value: 3 });
  for (const rowOf of [undefined, () => -1]) {
    const school = new School({ rowOf });
    school.follow(recordOf({ ratings: [rate('bob')], id: false }, 1));
    // In the whole journal the row was that of somebody who is not in this part of it.
    school.follow(encodeControl({ type: 'forgotten', user: 0, note: 'note' }));
    assert.equal(school.rowOf('bob'), rowOf ? 0 : -1);
  }
});
