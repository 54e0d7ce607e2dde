import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { NO_ROW } from '../../plugins/contract/index.ts';
import { Arena } from '../../server/memory/arena.ts';
import { type IdKey, TextKey } from '../../server/memory/ids.ts';
import { loadHostKernels } from '../../server/memory/kernels/host-kernels.ts';
import { Scale } from '../../server/memory/scale.ts';
import { WritableWorld } from '../../server/memory/world.ts';
import { Peers } from '../../server/models/peers.ts';
import { resolveModels } from '../../server/models/plugins.ts';
import { WritableModel } from '../../server/models/writable-model.ts';
import { Teacher } from '../../server/teaching/teacher.ts';
import type { Ratings } from '../data.ts';
import { randomNumbers } from '../support/ratings.ts';

/**
 * Does a model still know ratings that were taken back? Its squared error on them, against that of a model that never had
 * them: what it was smaller before they were taken back is the memory, what it is smaller afterwards is what is left of it.
 */

const SEED = 7;
/** What may be noise: another order, other draws. */
const WORSE_MAX = 0.005;

const [{ spec, plugin }] = await resolveModels([{ name: 'mf', plugin: 'mf', config: {} }]);

/** A model of its own world. */
class Pupil {
  readonly #world: WritableWorld;
  readonly #model: WritableModel;
  readonly #teacher: Teacher;
  readonly #scale: Scale;
  readonly #data: Ratings;
  readonly #user = new TextKey();
  readonly #item = new TextKey();

  constructor(data: Ratings, scale: Scale) {
    const arena = Arena.create(384 * 2 ** 20);
    const world = WritableWorld.create(arena, 1);
    const host = { arena, world, scale, peers: new Peers() };
    this.#model = WritableModel.create(host, plugin, spec, 100);
    const onQuarantine = (_model: WritableModel, why: unknown) => {
      throw why;
    };
    this.#teacher = new Teacher(host, loadHostKernels(arena.memory), [this.#model], { rankEvery: 0, onQuarantine });
    this.#world = world;
    this.#scale = scale;
    this.#data = data;
  }

  learn(rows: Iterable<number>, retract = false): this {
    for (const row of rows) {
      const [user, item] = this.#keys(row);
      const said = { value: this.#data.value[row], weight: 1, seconds: this.#data.time[row], nanos: 0 };
      this.#teacher.teach({ user, item, kind: NO_KIND, retract, revision: 1, ...said });
    }
    return this;
  }

  forget(users: Iterable<number>): this {
    for (const id of users) {
      this.#user.set(String(id));
      const row = this.#world.users.find(this.#user);
      this.#teacher.forget(row, 1);
      this.#world.users.remove(row);
    }
    return this;
  }

  /** The mean of the squared errors. */
  error(rows: readonly number[]): number {
    let sum = 0;
    for (const row of rows) {
      const [user, item] = this.#keys(row);
      const found = [this.#world.users.find(user), this.#world.items.find(item)];
      const [asked, about] = found.map((each) => (each < 0 ? NO_ROW : each));
      const expected = this.#model.scorer.predict?.({ user: asked, time: this.#data.time[row] }, about);
      sum += (this.#scale.toExternal(expected ?? Number.NaN) - this.#data.value[row]) ** 2;
    }
    return sum / rows.length;
  }

  #keys(row: number): [IdKey, IdKey] {
    this.#user.set(String(this.#data.user[row]));
    this.#item.set(String(this.#data.item[row]));
    return [this.#user, this.#item];
  }
}

const NO_KIND: IdKey = { bytes: new Uint8Array(), start: 0, length: 0, namespace: 0 };

interface Split {
  /** Never learned by any model, of anybody. */
  readonly test: number[];
  readonly kept: number[];
  readonly deleted: number[];
  readonly isTheirs: (row: number) => boolean;
  /** Whether its item is one of which something is deleted. */
  readonly isOfThem: (row: number) => boolean;
}

/** Of all rows; those that `isTheirs` are deleted, in so far as `random` says. */
function split({ count, user, item }: Ratings, isTheirs: (user: number) => boolean, share: number): Split {
  const random = randomNumbers(SEED);
  const items = new Set<number>();
  const parts: Split = {
    test: [],
    kept: [],
    deleted: [],
    isTheirs: (row) => isTheirs(user[row]),
    isOfThem: (row) => items.has(item[row]),
  };
  for (let row = 0; row < count; row++) {
    const draw = random();
    if (draw < 0.1) parts.test.push(row);
    else if (isTheirs(user[row]) && draw < 0.1 + 0.9 * share) parts.deleted.push(row);
    else parts.kept.push(row);
  }
  for (const row of parts.deleted) items.add(item[row]);
  return parts;
}

const inOrder = (...parts: number[][]) => parts.flat().sort((a, b) => a - b);

/** How much better a model knows what was deleted than what it never saw of the same users, against one that had neither. */
interface Marks {
  readonly deleted: number;
  readonly unseen: number;
  /** On unseen ratings of all. */
  readonly all: number;
}

const memory = (of: Marks, never: Marks) => never.deleted - of.deleted - (never.unseen - of.unseen);

export interface RatingSet {
  readonly name: string;
  readonly ratings?: Ratings;
  readonly min: number;
  /** The least share of the memory that has to be gone of whole users. */
  readonly wholeUsers: number;
  readonly skip?: string | false;
}

/** `alone`: single ratings and nothing else. */
export function testMembership({ name, ratings, min, wholeUsers, skip = false }: RatingSet, alone = false): void {
  const scale = new Scale(min, 5);

  test(`${name}: single ratings`, { skip }, (t) => {
    assert.ok(ratings);
    const parts = split(ratings, (user) => user % 3 === 0, 0.1);
    const { kept, deleted } = parts;
    const model = new Pupil(ratings, scale).learn(inOrder(kept, deleted));
    const had = marksOf(model, parts);
    const after = marksOf(model.learn(deleted, true), parts);
    const never = marksOf(new Pupil(ratings, scale).learn(kept), parts);
    judge(t, { had, after, never, least: 0.66 });
  });

  if (alone) return;

  test(`${name}: whole users, who come back with half of what they rated`, { skip }, (t) => {
    assert.ok(ratings);
    const parts = split(ratings, (user) => user % 10 === 0, 0.5);
    const { kept, deleted, isTheirs } = parts;
    const back = kept.filter(isTheirs);
    const others = kept.filter((row) => !isTheirs(row));
    const users = new Set(inOrder(back, deleted).map((row) => ratings.user[row]));
    const had = marksOf(new Pupil(ratings, scale).learn(inOrder(kept, deleted)), parts);
    const model = new Pupil(ratings, scale).learn(inOrder(kept, deleted)).forget(users);
    const after = marksOf(model.learn(back), parts);
    const never = marksOf(new Pupil(ratings, scale).learn(others).learn(back), parts);
    judge(t, { had, after, never, least: wholeUsers });
  });
}

function marksOf(model: Pupil, { test: unseen, deleted, isTheirs, isOfThem }: Split): Marks {
  return {
    deleted: model.error(deleted),
    unseen: model.error(unseen.filter((row) => isTheirs(row) && isOfThem(row))),
    all: model.error(unseen),
  };
}

interface Judged {
  readonly had: Marks;
  readonly after: Marks;
  readonly never: Marks;
  /** The least share of the memory that has to be gone. */
  readonly least: number;
}

function judge(t: TestContext, { had, after, never, least }: Judged): void {
  const gone = 1 - memory(after, never) / memory(had, never);
  const worse = Math.sqrt(after.all / never.all) - 1;
  const said = [had, after, never].map((marks) => `${marks.deleted.toFixed(4)}/${marks.unseen.toFixed(4)}`);
  t.diagnostic(`squared error on deleted/unseen: before ${said[0]}, after ${said[1]}, never ${said[2]}`);
  t.diagnostic(`of the memory ${(100 * gone).toFixed(1)}% is gone; test RMSE ${(100 * worse).toFixed(2)}% worse`);
  assert.ok(gone >= least, `${gone} of the memory is gone`);
  assert.ok(worse < WORSE_MAX, `the test error is ${worse} worse`);
}
