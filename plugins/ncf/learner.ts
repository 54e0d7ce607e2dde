import type { LearnContext, Learner, RatingEvent, WritableAddress } from '../contract/index.ts';
import { Base, BaseLearner, type Side } from './base.ts';
import type { NcfConfig } from './config.ts';
import { bounded, Gate, observe } from './gate.ts';
import type { NcfKernels } from './kernels.ts';
import { Net } from './net.ts';
import { ADAPTER_MAX, LAYER_MAX, shorten } from './shorten.ts';
import { standing } from './standing.ts';
import { lastOf, start } from './start.ts';
import { isDistilled, type NcfTables } from './tables.ts';

type Context = LearnContext<NcfConfig, NcfTables, NcfKernels>;

export class NetLearner implements Learner {
  readonly #context: Context;
  readonly #base: Base;
  readonly #biases: BaseLearner;
  readonly #gate: Gate;
  readonly #net: Net;
  readonly #place: (item: number) => void;
  readonly #vectorOf;
  readonly #ratingsOf;
  readonly #last;
  /** What there was right after the last refit. */
  readonly #then;

  constructor(context: Context) {
    const { config, tables } = context;
    this.#context = context;
    this.#base = new Base(context);
    this.#biases = new BaseLearner(context);
    this.#gate = new Gate(context);
    this.#net = new Net(context);
    this.#place = standing(context);
    this.#vectorOf = { users: tables.users.column('vector'), items: tables.items.column('vector') };
    this.#ratingsOf = { users: tables.users.column('ratings'), items: tables.items.column('ratings') };
    this.#last = lastOf(tables);
    this.#then = isDistilled(config)
      ? {
          last: lastOf(tables, 'Then'),
          users: { vector: tables.users.column('vectorThen'), known: tables.users.column('known') },
          items: { vector: tables.items.column('vectorThen'), known: tables.items.column('known') },
        }
      : undefined;
  }

  learn(event: RatingEvent): void {
    const { user, item, value, weight, previous } = event;
    const { config, memory } = this.#context;
    start(this.#context);
    const missed = value - this.#base.expect(user, item);
    const said = this.#net.say(this.#vectorOf.users(user), this.#vectorOf.items(item), this.#last);
    if (!previous) {
      const bucket = this.#gate.bucket(user, item);
      observe(this.#gate, memory, bucket, bounded(said), missed, weight, config.gate.forgetting);
    }
    this.#stepNet(user, item, missed - said, weight);
    this.#biases.learn(user, item, missed, weight);
    this.#biases.average(event, 1);
    if (previous) this.#biases.average(previous, -1);
    else this.#count(user, item, 1);
    this.#replay(user, item);
    this.#place(item);
  }

  /** What both rows have learned is derived anew from the ratings that remain. */
  retract(event: RatingEvent): void {
    this.#biases.average(event, -1);
    // Neither side's bias is to know that the other's has been put right.
    const [ofUser, ofItem] = [this.#difference('users', event), this.#difference('items', event)];
    this.#relearn('users', event.user, ofUser);
    this.#relearn('items', event.item, ofItem);
    this.#place(event.item);
  }

  /** All that may learn online steps along the gradient of what the network just said, which missed by `error`. */
  #stepNet(user: number, item: number, error: number, weight: number): void {
    const { config, kernels } = this.#context;
    const { eta, l2, sharedEta, sharedL2 } = config.online;
    const net = this.#net;
    net.back(this.#last);
    const uu = kernels.dot(net.user, net.user, net.width);
    const ii = kernels.dot(net.item, net.item, net.width);
    const ff =
      kernels.dot(net.products, net.products, config.gmf.k) + kernels.dot(net.numbers, net.numbers, net.topWidth);
    const adapters = this.#adapterSquare();
    const [du, di] = [this.#damping(uu), this.#damping(ii)];
    const reach = eta * (du * uu + di * ii + 2 * l2) + sharedEta * (ff + adapters + 2 * sharedL2);
    const scale = Math.min(weight, 1 / reach);
    this.#move('users', user, net.user, scale * eta, du * error, l2);
    this.#move('items', item, net.item, scale * eta, di * error, l2);
    if (sharedEta === 0) return;
    const { products, numbers } = this.#last;
    kernels.step(products, net.products, config.gmf.k, scale * sharedEta, error, sharedL2);
    kernels.step(numbers, net.numbers, net.topWidth, scale * sharedEta, error, sharedL2);
    shorten(products, config.gmf.k, kernels, LAYER_MAX);
    shorten(numbers, net.topWidth, kernels, LAYER_MAX);
    this.#adapt(scale * sharedEta, error, sharedL2);
  }

  #damping(square: number): number {
    const { normalise, eta } = this.#context.config.online;
    return 1 / (1 + normalise * eta * square);
  }

  #adapterSquare(): number {
    const { kernels, config } = this.#context;
    const { rank } = config.tower;
    let sum = 0;
    if (rank === 0) return sum;
    for (const { z, t, s, x, ins, outs } of this.#net.floors)
      sum += kernels.dot(z, z, outs) * this.#square(t, rank) + kernels.dot(x, x, ins) * this.#square(s, rank);
    return sum;
  }

  #square(at: WritableAddress, n: number): number {
    const { f32: floats } = this.#context.memory;
    let sum = 0;
    for (let j = 0; j < n; j++) sum += floats[(at >>> 2) + j] ** 2;
    return sum;
  }

  #adapt(rate: number, error: number, l2: number): void {
    const { kernels, config } = this.#context;
    const { rank } = config.tower;
    if (rank === 0) return;
    for (const { up, down, t, s, z, x, ins, outs } of this.#net.floors) {
      kernels.adapt(up as WritableAddress, down as WritableAddress, t, s, z, x, rank, ins, outs, rate, error, l2);
      shorten(up as WritableAddress, rank * outs, kernels, ADAPTER_MAX);
      shorten(down as WritableAddress, rank * ins, kernels, ADAPTER_MAX);
    }
  }

  #move(side: Side, row: number, gradient: WritableAddress, rate: number, error: number, l2: number): void {
    const { kernels } = this.#context;
    const vector = this.#vectorOf[side](row);
    kernels.step(vector, gradient, this.#net.width, rate, error, l2);
    shorten(vector, this.#net.width, kernels);
  }

  /** Past ratings of the user and of the item, in turn; each moves that row alone. */
  #replay(user: number, item: number): void {
    const { config, history, random } = this.#context;
    for (let n = 0; n < config.replay.count; n++) {
      const ofUser = n % 2 === 0;
      const count = ofUser ? history.userCount(user) : history.itemCount(item);
      if (count === 0) continue;
      const rating = ofUser ? history.ofUser(user, random.below(count)) : history.ofItem(item, random.below(count));
      // A rating that is being replaced is no longer true.
      if (history.user(rating) === user && history.item(rating) === item) continue;
      this.#again(ofUser ? 'users' : 'items', rating, config.replay.eta, config.replay.l2);
    }
  }

  /** The row of one side steps toward a past rating, and toward what the network said right after the last refit. */
  #again(side: Side, rating: number, eta: number, l2: number): void {
    const { config, history, kernels } = this.#context;
    const [user, item] = [history.user(rating), history.item(rating)];
    const [p, q] = [this.#vectorOf.users(user), this.#vectorOf.items(item)];
    const net = this.#net;
    let target = history.value(rating) - this.#base.expect(user, item);
    const then = this.#saidThen(user, item);
    if (then !== undefined) target += config.replay.distill * (then - target);
    const error = target - net.say(p, q, this.#last);
    net.back(this.#last);
    const gradient = side === 'users' ? net.user : net.item;
    const square = kernels.dot(gradient, gradient, net.width);
    const damping = 1 / (1 + config.online.normalise * eta * square);
    const scale = Math.min(history.weight(rating), 1 / (eta * (damping * square + l2)));
    this.#move(side, side === 'users' ? user : item, gradient, scale * eta, damping * error, l2);
  }

  #saidThen(user: number, item: number): number | undefined {
    if (!this.#then) return undefined;
    const { u32: words } = this.#context.memory;
    const { last, users, items } = this.#then;
    if (words[users.known(user) >>> 2] === 0 || words[items.known(item) >>> 2] === 0) return undefined;
    return bounded(this.#net.say(users.vector(user), items.vector(item), last, false));
  }

  /**
   * Takes a row back to its first values and learns its latest live ratings again, and then as often as each would have
   * been replayed by now, on average; the other side is only read. Its bias loses `difference`.
   */
  #relearn(side: Side, row: number, difference: number): void {
    const { config, memory, reset, history } = this.#context;
    const ofUser = side === 'users';
    const count = this.#countOf(side, row);
    const first = Math.max(0, count - config.relearn);
    const bias = this.#base.bias(side, row);
    reset(side, row);
    this.#biases.takeBack(side, row, difference - bias);
    memory.u32[this.#ratingsOf[side](row) >>> 2] = count;
    for (let pass = 0; pass <= Math.ceil(config.replay.count / 2); pass++) {
      const { eta, l2 } = pass === 0 ? config.online : config.replay;
      for (let n = first; n < count; n++) {
        const rating = ofUser ? history.ofUser(row, n) : history.ofItem(row, n);
        this.#again(side, rating, eta, l2);
      }
    }
  }

  #difference(side: Side, event: RatingEvent): number {
    const count = this.#countOf(side, side === 'users' ? event.user : event.item);
    return this.#biases.difference(side, event, Math.max(0, count - this.#context.config.relearn));
  }

  #countOf(side: Side, row: number): number {
    const { history } = this.#context;
    return side === 'users' ? history.userCount(row) : history.itemCount(row);
  }

  #count(user: number, item: number, more: 1 | -1): void {
    const { u32: words } = this.#context.memory;
    words[this.#ratingsOf.users(user) >>> 2] += more;
    words[this.#ratingsOf.items(item) >>> 2] += more;
  }
}
