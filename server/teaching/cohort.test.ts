import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Learner, Plugin } from '../../plugins/contract/index.ts';
import mf from '../../plugins/mf/plugin.ts';
import popularity from '../../plugins/popularity/plugin.ts';
import { UpsertItemsRequest } from '../../proto/gen/accrete/v1/catalog.ts';
import { Rating } from '../../proto/gen/accrete/v1/rating.ts';
import { RateRequest } from '../../proto/gen/accrete/v1/recommender.ts';
import { UpsertUsersRequest } from '../../proto/gen/accrete/v1/user.ts';
import { Arena } from '../memory/arena.ts';
import { type IdKey, TextKey } from '../memory/ids.ts';
import { type HostKernels, loadHostKernels } from '../memory/kernels/host-kernels.ts';
import { Scale } from '../memory/scale.ts';
import { WritableWorld } from '../memory/world.ts';
import { Peers } from '../models/peers.ts';
import { WritableModel } from '../models/writable-model.ts';
import { encodeControl } from '../store/control.ts';
import { encodeRecord } from '../store/record.ts';
import type { Classroom } from './classroom.ts';
import { Classrooms } from './classrooms.ts';
import type { CohortChoice } from './cohort.ts';
import { Teacher, type TeacherOptions } from './teacher.ts';

/** A cohort learns as a server would that begins where it began, and sees its users alone. */

const PLUGINS = [mf, popularity].map((plugin) => plugin as unknown as Plugin);
const KINDS = { click: { weight: 1, hides: false }, buy: { weight: 2, hides: true } };
const OPTIONS: TeacherOptions = {
  rankEvery: 2,
  onQuarantine: (_model, why) => {
    throw why;
  },
};

/** A server's memory. */
class School {
  readonly arena = Arena.create(128 * 2 ** 20);
  readonly kernels = loadHostKernels(this.arena.memory);
  readonly rooms: Classrooms;
  #revision = 0;

  constructor(plugins: readonly Plugin[] = PLUGINS, options = OPTIONS) {
    const world = WritableWorld.create(this.arena, 1);
    world.kinds.configure(KINDS);
    const scale = new Scale(1, 5);
    const host = { arena: this.arena, world, scale, peers: new Peers() };
    const models = plugins.map((plugin) => {
      const spec = { namespace: '', name: plugin.name, plugin: plugin.name, config: plugin.config.parse({}) };
      return WritableModel.create(host, plugin, spec, 50);
    });
    const teacher = new Teacher(host, this.kernels, models, options);
    this.rooms = new Classrooms(world, teacher, { arena: this.arena, scale, options });
  }

  follow(...records: readonly Uint8Array[]): void {
    for (const record of records) this.rooms.follow(++this.#revision, record);
  }

  rowOf(userId: string): number {
    const key = new TextKey();
    return key.set(userId) ? this.rooms.main.world.users.find(key) : -1;
  }

  hashes(key = '') {
    return hashesOf(this.rooms.find(key) as Classroom, this.kernels);
  }
}

function hashesOf({ world, teacher }: Classroom, kernels: HostKernels) {
  const { ids, interactions, features } = world.hashes(kernels);
  return { ids, interactions, features, mf: teacher.models.find(({ name }) => name === 'mf')?.hashes(kernels).all };
}

const isEven = ({ bytes, start, length }: IdKey) => bytes[start + length - 1] % 2 === 0;
const EVEN: CohortChoice = { key: 'trial/even', model: 'mf', admits: isEven };
const ODD: CohortChoice = { key: 'trial/odd', model: 'mf', admits: (user) => !isEven(user) };

function ratings(from: number, to: number, users: (user: number) => boolean = () => true): Uint8Array[] {
  return Array.from({ length: to - from }, (_, n) => from + n)
    .filter((n) => users((n * 7) % 10))
    .map((n) => {
      const rating = Rating.fromPartial({
        userId: `user-${(n * 7) % 10}`,
        itemId: `item-${(n * 5) % 17}`,
        kind: n % 5 === 0 ? 'click' : '',
        value: n % 5 === 0 ? undefined : 1 + (n % 5),
      });
      return recordOf('ratings', RateRequest.encode(RateRequest.fromPartial({ ratings: [rating] })).finish(), n);
    });
}

function recordOf(type: 'ratings' | 'items' | 'users', payload: Uint8Array, n: number): Uint8Array {
  return encodeRecord({ type, receivedAtMs: 1e12 + n, namespace: '', payload });
}

const catalogue = recordOf(
  'items',
  UpsertItemsRequest.encode(
    UpsertItemsRequest.fromPartial({ items: [{ itemId: 'item-3', categories: ['a'] }, { itemId: 'new' }] }),
  ).finish(),
  0,
);
const profiles = recordOf(
  'users',
  UpsertUsersRequest.encode(
    UpsertUsersRequest.fromPartial({ users: [{ userId: 'user-1', labels: ['b'] }, { userId: 'u-2' }] }),
  ).finish(),
  0,
);
const deletion = encodeControl({ type: 'itemsDeleted', itemIds: ['item-4'] });

test('a cohort comes to what a server comes to that begins where it began and has its users alone', () => {
  const before = [catalogue, ...ratings(0, 60), profiles];
  const after = ratings(60, 300);
  const school = new School();
  school.follow(...before);
  school.rooms.settle([EVEN, ODD]);
  assert.deepEqual(school.hashes(EVEN.key), school.hashes());
  school.follow(...after.slice(0, 100), catalogue, deletion, profiles, ...after.slice(100));
  for (const [{ key }, part] of [
    [EVEN, 0],
    [ODD, 1],
  ] as const) {
    const alone = new School();
    const mine = (from: number, to: number) => ratings(from, to, (user) => user % 2 === part);
    alone.follow(...before, ...mine(60, 160), catalogue, deletion, profiles, ...mine(160, 300));
    assert.deepEqual(school.hashes(key), alone.hashes());
    assert.notDeepEqual(school.hashes(key), school.hashes());
  }
  const everything = new School();
  everything.follow(...before, ...after.slice(0, 100), catalogue, deletion, profiles, ...after.slice(100));
  assert.deepEqual(school.hashes(), everything.hashes());
});

test('whoever is forgotten is so in every world, whatever their row is there', () => {
  const school = new School();
  school.follow(...ratings(0, 60), profiles);
  school.rooms.settle([EVEN, ODD]);
  const rated = ['late-2', 'late-3', 'late-4'].map((userId) =>
    Rating.fromPartial({ userId, itemId: 'item-1', value: 3 }),
  );
  school.follow(recordOf('ratings', RateRequest.encode(RateRequest.fromPartial({ ratings: rated })).finish(), 60));
  for (const userId of ['user-1', 'late-3']) {
    const key = new TextKey();
    key.set(userId);
    const rows = school.rooms.all.map(({ world }) => world.users.find(key));
    school.follow(encodeControl({ type: 'forgotten', user: school.rowOf(userId), note: 'note' }));
    for (const [n, { world }] of school.rooms.all.entries()) {
      assert.equal(world.users.find(key), -1);
      if (rows[n] < 0) continue;
      assert.equal(world.interactions.byUser.count(rows[n]), 0);
      assert.equal(world.userFeatures.block(rows[n]), 0);
    }
    if (userId === 'late-3') assert.equal(new Set(rows).size, 3);
  }
  for (const { world } of school.rooms.cohorts) assert.ok(world.users.rows < school.rooms.main.world.users.rows);
});

test('what a cohort held is given back when nobody reads it any more', () => {
  const school = new School();
  school.follow(catalogue, ...ratings(0, 60));
  const used = [school.arena.usedBytes];
  for (let n = 0; n < 3; n++) {
    school.rooms.settle([EVEN, ODD]);
    school.follow(...ratings(60 + 20 * n, 80 + 20 * n));
    const [cohort] = school.rooms.cohorts;
    const hashes = hashesOf(cohort, school.kernels);
    school.rooms.settle([]);
    assert.deepEqual(hashesOf(cohort, school.kernels), hashes);
    // Those that are still read stay.
    for (const { key } of [ODD, EVEN]) {
      assert.deepEqual(hashesOf(cohort, school.kernels), hashes);
      school.rooms.retire([key]);
      school.rooms.collect();
    }
    used.push(school.arena.usedBytes);
  }
  // What the main world itself takes meanwhile is less than a cohort.
  assert.ok(Math.max(...used) - used[0] < 2 ** 20, used.join(' '));
});

test('what a cohort will hold is told before', () => {
  const school = new School();
  school.follow(catalogue, profiles, ...ratings(0, 60));
  for (const more of [[], ratings(60, 3000)]) {
    school.follow(...more);
    const told = school.rooms.copyBytes([EVEN]);
    const [{ bytes }] = school.rooms.prepare([EVEN]);
    assert.ok(Math.abs(told / bytes - 1) < 0.15, `${told} were told, ${bytes} are held`);
    assert.equal(school.rooms.copyBytes([]), 0);
  }
});

test('all worlds together ask for no more memory than was said before', () => {
  const school = new School();
  school.follow(catalogue, ...ratings(0, 60));
  school.rooms.settle([EVEN, ODD]);
  for (let n = 0; n < 16; n++) {
    // Few of what there is already, or many that are new and as long as can be.
    const rated = Array.from({ length: n % 2 === 0 ? 3 : 200 }, (_, k) => {
      const name = n % 2 === 0 ? String(k) : `${n}-${k}`.padEnd(250, '.') + (k % 2);
      return Rating.fromPartial({
        userId: name,
        itemId: `i-${name}`.slice(0, 250),
        value: 3,
        kind: k % 7 === 0 ? 'buy' : '',
      });
    });
    const events = rated.filter(({ kind }) => kind !== '').length;
    const said = school.rooms.growthBytes(
      ({ world, teacher }) => world.growthBytes(rated.length, events) + teacher.growthBytes(rated.length),
    );
    const before = school.arena.freeBytes;
    school.follow(
      recordOf('ratings', RateRequest.encode(RateRequest.fromPartial({ ratings: rated })).finish(), 100 + n),
    );
    const took = before - school.arena.freeBytes;
    assert.ok(took <= said, `${took} bytes, and ${said} were said`);
  }
});

test('cohorts that do not fit leave nothing behind', () => {
  const school = new School();
  school.follow(catalogue, ...ratings(0, 60));
  const choices = Array.from({ length: 40 }, (_, n) => ({ ...EVEN, key: `trial/${n}` }));
  const before = school.hashes();
  assert.throws(() => school.rooms.prepare(choices), { reason: 'MEMORY_FULL' });
  assert.deepEqual(school.rooms.cohorts, []);
  assert.deepEqual(school.hashes(), before);
  school.rooms.collect();
  const [prepared] = school.rooms.prepare([EVEN]);
  school.rooms.settle([EVEN]);
  assert.equal(school.rooms.cohorts[0], prepared);
});

test('who hears that a model failed, hears of which world it is', () => {
  let fails = false;
  const fragile = {
    ...PLUGINS[1],
    learnsEvents: false,
    learner: (): Learner => ({
      learn() {
        if (fails) throw new Error('as it was told to');
      },
      retract() {},
    }),
  };
  const heard: [model: string, cohort: string | undefined][] = [];
  const onQuarantine: TeacherOptions['onQuarantine'] = ({ name }, _why, cohort) => heard.push([name, cohort]);
  const school = new School([fragile], { ...OPTIONS, onQuarantine });
  school.rooms.settle([{ ...EVEN, model: 'popularity' }]);
  fails = true;
  school.follow(...ratings(61, 70, (user) => user === 4));
  assert.deepEqual(heard, [
    ['popularity', 'trial/even'],
    ['popularity', undefined],
  ]);
});
