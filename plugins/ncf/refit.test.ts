import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CountingDevice } from '../../test/laws/counting-device.ts';
import type { Lab, Rating } from '../../test/laws/lab.ts';
import { differences } from '../../test/laws/rows.ts';
import { checkerboard, firstRatings, item, user } from '../../test/laws/streams.ts';
import { column, createLab, near, networkOf, refit, type Settings } from '../../test/support/ncf-lab.ts';
import { Random } from '../contract/index.ts';
import { gradientBy, say } from './reference.ts';
import { layersOf } from './shape.ts';

const RATINGS = firstRatings(6, { users: 20, items: 20, events: 300 });

describe('biases are solved', () => {
  test('two ratings by hand', async () => {
    const ratings = [
      { user: 'u', item: 'a', value: 5, weight: 2 },
      { user: 'u', item: 'b', value: 2 },
    ];
    const lab = await refit(createLab({ refit: { epochs: 0 } }, ratings));
    const bias = (table: 'users' | 'items', id: string) => column(lab, table, id, 'bias')[0];
    // m = 3 + (2 2 - 1)/(1 + 3). What is solved no longer moves.
    const m = 3.75;
    near(bias('items', 'a'), (2 * (5 - m - bias('users', 'u'))) / 12, 'a', 1e-3);
    near(bias('items', 'b'), (2 - m - bias('users', 'u')) / 11, 'b', 1e-3);
    near(bias('users', 'u'), (2 * (5 - m - bias('items', 'a')) + (2 - m - bias('items', 'b'))) / 8, 'u');
  });
});

/** What Adam makes of numbers, in doubles. */
class Adam {
  readonly #mean: Float64Array;
  readonly #squares: Float64Array;
  #steps = 0;
  readonly numbers: Float64Array;

  constructor(numbers: Float64Array) {
    this.numbers = numbers;
    this.#mean = numbers.map(() => 0);
    this.#squares = numbers.map(() => 0);
  }

  step(gradient: Float64Array, eta: number, l2: number): void {
    this.#steps++;
    for (const [n, each] of gradient.entries()) {
      const g = each + l2 * this.numbers[n];
      this.#mean[n] = 0.9 * this.#mean[n] + 0.1 * g;
      this.#squares[n] = 0.999 * this.#squares[n] + 0.001 * g * g;
      const mean = this.#mean[n] / (1 - 0.9 ** this.#steps);
      const square = this.#squares[n] / (1 - 0.999 ** this.#steps);
      this.numbers[n] -= (eta * mean) / (Math.sqrt(square) + 1e-8);
    }
  }
}

// So many numbers that never are all of a layer dropped: what is 0 to the bit has no derivative.
for (const [dropout, k, device] of [
  [0, 4, undefined],
  [0.3, 16, undefined],
  [0, 4, new CountingDevice()],
  [0.3, 16, new CountingDevice()],
] as const) {
  const by = device ? 'matrices' : 'kernels';
  test(`three steps are those of Adam in doubles, on gradients by differences; dropout ${dropout}, by ${by}`, async () => {
    const ratings = firstRatings(7, { users: 4, items: 4, events: 12 }).slice(0, 9);
    const settings = (epochs: number): Settings => ({
      gmf: { k: 4 },
      tower: { k, layers: 2, rank: 2 },
      initialSd: 0.7,
      refit: { epochs, batch: 4096, eta: 0.01, l2: 0.1, dropout },
    });
    // Without epochs it has its first values; every epoch is one batch.
    const [first, trained] = [
      await refit(createLab(settings(0), ratings)),
      await refit(createLab(settings(3), ratings), 1, device),
    ];
    if (device) assert.equal(device.waits.length, 3);
    const network = networkOf(first);
    const vectors = (lab: Lab, table: 'users' | 'items', id: string) =>
      Float64Array.from(column(lab, table, id, 'vector'));
    const byId = (table: 'users' | 'items', ids: readonly string[]) =>
      new Map([...new Set(ids)].map((id) => [id, new Adam(vectors(first, table, id))]));
    const users = byId(
      'users',
      ratings.map(({ user }) => user),
    );
    const items = byId(
      'items',
      ratings.map(({ item }) => item),
    );
    const mean = 3 + column(first, 'model', '', 'sum')[0] / (1 + column(first, 'model', '', 'weight')[0]);
    const bias = (table: 'users' | 'items', id: string) => column(first, table, id, 'bias')[0];
    const numbersOf = (all: ReadonlyMap<string, Adam>, id: string) => (all.get(id) as Adam).numbers;
    const masks = new Map<Rating, number[][]>();
    const loss = () =>
      ratings.reduce((sum, rating) => {
        const missed = (rating.value ?? 0) - mean - bias('users', rating.user) - bias('items', rating.item);
        const said = say(numbersOf(users, rating.user), numbersOf(items, rating.item), network, masks.get(rating));
        const error = Math.abs(missed - said);
        // Errors count as 4 at most (Huber's loss).
        return sum + (rating.weight ?? 1) * (error <= 4 ? error ** 2 / 2 : 4 * error - 8);
      }, 0);
    const rows = [...users.values(), ...items.values()];
    const shared = [network.products, network.numbers, ...network.layers.flatMap(({ w, b }) => [w, b])].map(
      (each) => new Adam(each),
    );
    // The draws of the refit: the order of all, then of each epoch, and with it what is dropped of both layers.
    const random = new Random();
    random.key(1, 0);
    const order = Uint32Array.from(ratings, (_, n) => n);
    random.shuffle(order);
    for (let step = 0; step < 3; step++) {
      random.shuffle(order);
      for (const n of order) {
        const drawn = () => (random.next() < dropout * 2 ** 32 ? 0 : 1 / (1 - dropout));
        if (dropout > 0)
          masks.set(
            ratings[n],
            layersOf({ k, layers: 2 }).map(({ outs }) => Array.from({ length: outs }, drawn)),
          );
      }
      const gradients = [...rows, ...shared].map(({ numbers }) => gradientBy(numbers, loss));
      for (const [n, adam] of [...rows, ...shared].entries()) adam.step(gradients[n], 0.01, n < rows.length ? 0.1 : 0);
    }
    const check = (actual: Float64Array, expected: Float64Array, what: string) => {
      for (const [n, each] of actual.entries()) near(each, expected[n], `${what} ${n}`, 1e-4);
    };
    for (const [id, { numbers }] of users) check(vectors(trained, 'users', id), numbers, id);
    for (const [id, { numbers }] of items) check(vectors(trained, 'items', id), numbers, id);
    const learned = networkOf(trained);
    check(learned.products, network.products, 'products');
    check(learned.numbers, network.numbers, 'numbers');
    for (const [n, { w, b }] of learned.layers.entries()) {
      check(w, network.layers[n].w, `W of layer ${n}`);
      check(b, network.layers[n].b, `what is added in layer ${n}`);
    }
  });
}

test('it knows nothing but the live ratings and its seed', async () => {
  const extra = firstRatings(16, { users: 25, items: 25, events: 60 }).filter(
    ({ user, item }) => !RATINGS.some((rating) => rating.user === user && rating.item === item),
  );
  const undone = [...RATINGS, ...extra, ...extra.map((rating) => ({ ...rating, retract: true }))];
  const taught = await refit(createLab({}).teachAll(undone));
  assert.deepEqual(differences(await refit(createLab({}, undone)), taught), []);
  // Twice is as good as once.
  assert.deepEqual(differences(await refit(createLab({}, undone)), await refit(taught)), []);
  const vector = async (seed: number) => column(await refit(createLab({}, RATINGS), seed), 'users', user(1), 'vector');
  assert.notDeepEqual(await vector(1), await vector(2));
});

test('the gate is shown ratings that the network had not learned', async () => {
  // 770 ratings, of which 48 are held out; what is to be learned is not what biases can say.
  const { shown } = checkerboard(30);
  const learned = await refit(createLab({}, shown));
  const squares = column(learned, 'model', '', 'squares');
  assert.ok(squares.some((each) => each > 0));
  // Where there is nothing to learn, what was learned by heart does not count.
  const noise = firstRatings(17, { users: 60, items: 60, events: 3000 });
  const fooled = await refit(createLab({ refit: { epochs: 60, l2: 0, dropout: 0 } }, noise));
  const sum = (name: string) => column(fooled, 'model', '', name).reduce((total, each) => total + each, 0);
  assert.ok(sum('squares') > 20, `${sum('squares')}`);
  assert.ok(sum('hits') / sum('squares') < 0.3, `${sum('hits') / sum('squares')}`);
});

test('it ends early when held-out ratings are no longer expected better', async () => {
  const ratings = firstRatings(18, { users: 200, items: 200, events: 12_000 }).map((rating, n) => {
    const isLiked = (Number(rating.user.slice(5)) + Number(rating.item.slice(5))) % 2 === 0;
    return { ...rating, weight: 1, value: (isLiked ? 4 : 1.5) + (n % 3) / 2 };
  });
  const lab = createLab({ gmf: { k: 16 }, refit: { epochs: 60, eta: 0.01, l2: 0 } }, ratings);
  const shares: number[] = [];
  for await (const share of lab.model.refit(1)) shares.push(share);
  const [beforeLast, last] = shares.slice(-2);
  assert.equal(last, 1);
  assert.ok(beforeLast > 0 && beforeLast < 0.8, `${beforeLast}`);
});

test('what replays distill is the network as the refit left it, also when it is left off half way', async () => {
  for (const most of [Number.POSITIVE_INFINITY, 3]) {
    const lab = createLab({ refit: { epochs: 100 } }, RATINGS);
    let steps = 0;
    for await (const _ of lab.model.refit(1)) if (++steps >= most) break;
    for (const [table, id] of [
      ['users', user(1)],
      ['items', item(3)],
    ] as const) {
      assert.deepEqual(column(lab, table, id, 'vectorThen'), column(lab, table, id, 'vector'));
      assert.equal(column(lab, table, id, 'known')[0], 1);
    }
    for (const name of ['products', 'numbers'])
      assert.deepEqual(column(lab, 'model', '', `${name}Then`), column(lab, 'model', '', name));
    const vector = column(lab, 'items', item(3), 'vector').subarray(0, 64);
    const count = lab.world.interactions.byItem.count(lab.itemRow(item(3)));
    near(column(lab, 'items', item(3), 'likeness')[0], count / (count + 20) / Math.hypot(...vector));
  }
});
