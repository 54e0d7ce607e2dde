import { liveRatings, type RefitContext, type WritableAddress } from '../contract/index.ts';
import { Base } from './base.ts';
import type { NcfConfig } from './config.ts';
import { bounded, Gate, observe } from './gate.ts';
import type { NcfKernels } from './kernels.ts';
import { Net } from './net.ts';
import { settle } from './settle.ts';
import { standing } from './standing.ts';
import { lastOf } from './start.ts';
import { isDistilled, type NcfTables } from './tables.ts';
import { Training } from './training.ts';

/**
 * All live ratings anew, from first values, so that nothing is left of what was taken back: the biases by ridge regression
 * (`settle.ts`), then the whole network by Adam in batches with dropout (`training.ts`), `epochs` times at most, each time in
 * another order.
 *
 * One rating of 16 is held out. When these are no longer expected better for `PATIENCE` epochs, it is enough; they show the
 * gate what the network is worth, and then they are learned, with all others, in one more epoch. What replays distill is kept
 * at the end.
 */
export async function* refit(context: Context): AsyncGenerator<number, void, void> {
  const { config, history, random } = context;
  const { epochs, batch } = config.refit;
  const { order, ...sums } = yield* liveRatings(history, GATHER_PACE);
  random.shuffle(order);
  const held = order.subarray(0, Math.floor(order.length / HELD));
  const shown = order.subarray(held.length);
  try {
    yield* settle(context, { order, ...sums });
    const training = new Training(context);
    const judge = new Judge(context, held);
    const whole = epochs * order.length;
    let [done, told] = [0, 0];
    const learn = async function* (ratings: Uint32Array) {
      random.shuffle(ratings);
      for (let from = 0; from < ratings.length; from += batch) {
        const some = ratings.subarray(from, from + batch);
        await training.step(some);
        done += some.length;
        if (done - told < PACE) continue;
        told = done;
        yield done / whole;
      }
    };
    for (let epoch = 1; epoch < epochs && !judge.isEnough; epoch++) {
      yield* learn(shown);
      judge.look();
    }
    if (epochs > 0) {
      judge.teach();
      yield* learn(order);
    }
    yield 1;
  } finally {
    keep(context);
  }
}

type Context = RefitContext<NcfConfig, NcfTables, NcfKernels>;

const HELD = 16;
const PATIENCE = 2;
/** It expects better than the biases alone when it leaves so much of their squared errors. */
const BETTER = 0.998;
/** With fewer held-out ratings it is chance what they say. */
const HELD_MIN = 500;
/** From one yield to the next go so many ratings that it takes about 10 ms. */
const PACE = 2 ** 12;
/** Rows that are looked at in one turn. */
const GATHER_PACE = 2 ** 16;

/** Looks at ratings that the network has not learned. */
class Judge {
  readonly #context: Context;
  readonly #held: Uint32Array;
  readonly #base: Base;
  readonly #net: Net;
  readonly #gate: Gate;
  #least = Number.POSITIVE_INFINITY;
  #worse = 0;

  constructor(context: Context, held: Uint32Array) {
    this.#context = context;
    this.#held = held;
    this.#base = new Base(context);
    this.#net = new Net(context);
    this.#gate = new Gate(context);
  }

  get isEnough(): boolean {
    return this.#worse >= PATIENCE && this.#held.length >= HELD_MIN;
  }

  look(): void {
    let [squares, alone] = [0, 0];
    this.#each((_user, _item, said, missed, weight) => {
      squares += weight * (missed - said) ** 2;
      alone += weight * missed ** 2;
    });
    const isBetter = squares < this.#least;
    // It takes a while until vectors point anywhere.
    this.#worse = isBetter || this.#least === Number.POSITIVE_INFINITY ? 0 : this.#worse + 1;
    if (isBetter && squares < BETTER * alone) this.#least = squares;
  }

  teach(): void {
    const { config, memory } = this.#context;
    this.#each((user, item, said, missed, weight) =>
      observe(this.#gate, memory, this.#gate.bucket(user, item), said, missed, weight, config.gate.forgetting),
    );
  }

  #each(visit: (user: number, item: number, said: number, missed: number, weight: number) => void): void {
    const { history, tables } = this.#context;
    const last = lastOf(tables);
    const [userVector, itemVector] = [tables.users.column('vector'), tables.items.column('vector')];
    for (const rating of this.#held) {
      const [user, item] = [history.user(rating), history.item(rating)];
      const said = bounded(this.#net.say(userVector(user), itemVector(item), last, false));
      visit(user, item, said, history.value(rating) - this.#base.expect(user, item), history.weight(rating));
    }
  }
}

/** Ranks and likenesses that fit the vectors and, for replays, what the network is now. */
function keep(context: Context): void {
  const { config, tables, kernels, memory, history, users, items } = context;
  const place = standing(context);
  for (let item = 0; item < items; item++) place(item);
  if (!isDistilled(config)) return;
  const { width, topWidth } = new Net(context);
  const [now, then] = [lastOf(tables), lastOf(tables, 'Then')];
  kernels.copy(then.products, now.products, config.gmf.k);
  kernels.copy(then.numbers, now.numbers, topWidth);
  const copy = (side: 'users' | 'items', rows: number, count: (row: number) => number) => {
    const [vector, vectorThen, known] = ['vector', 'vectorThen', 'known'].map((name) =>
      tables[side].column(name),
    ) as Columns;
    for (let row = 0; row < rows; row++) {
      kernels.copy(vectorThen(row), vector(row), width);
      memory.u32[known(row) >>> 2] = count(row) > 0 ? 1 : 0;
    }
  };
  copy('users', users, history.userCount);
  copy('items', items, history.itemCount);
}

type Columns = ((row: number) => WritableAddress)[];
