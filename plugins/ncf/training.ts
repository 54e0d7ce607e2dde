import type { RefitContext, WritableAddress } from '../contract/index.ts';
import { Base } from './base.ts';
import type { NcfConfig } from './config.ts';
import { bounded } from './gate.ts';
import type { NcfKernels } from './kernels.ts';
import { type Last, Net } from './net.ts';
import { LAYER_MAX, shorten } from './shorten.ts';
import type { NcfTables } from './tables.ts';

/**
 * The training step of a refit: what a device may take over. A batch of ratings steps the vectors that it names (sparse) and
 * the whole tower and last layer (dense) by Adam (Kingma & Ba 2015), each vector with a count of steps of its own.
 */

type Context = RefitContext<NcfConfig, NcfTables, NcfKernels>;

const BETA1 = 0.9;
const BETA2 = 0.999;

/** What is stepped as one: its numbers, their gradient over the batch, and the moments of past ones. */
interface Block {
  readonly at: WritableAddress;
  readonly length: number;
  readonly gradient: WritableAddress;
  readonly mean: WritableAddress;
  readonly squares: WritableAddress;
}

export class Training {
  readonly #context: Context;
  readonly #base: Base;
  readonly #net: Net;
  readonly #last: Last;
  readonly #layers: readonly { readonly w: Block; readonly b: Block }[];
  readonly #products: Block;
  readonly #numbers: Block;
  readonly #users: Vectors;
  readonly #items: Vectors;
  #steps = 0;

  constructor(context: Context) {
    const { config, tables } = context;
    this.#context = context;
    this.#base = new Base(context);
    this.#net = new Net(context);
    const { model } = tables;
    const block = (column: string, length: number) => newBlock(context, model.column(column)(0), length);
    this.#layers = this.#net.floors.map(({ ins, outs }, n) => ({
      w: block(`w${n}`, ins * outs),
      b: block(`b${n}`, outs),
    }));
    this.#products = block('products', config.gmf.k);
    this.#numbers = block('numbers', this.#net.topWidth);
    this.#last = { products: this.#products.at, numbers: this.#numbers.at };
    this.#users = new Vectors(context, 'users', this.#net.width);
    this.#items = new Vectors(context, 'items', this.#net.width);
  }

  /** Takes one step toward some ratings, given by their rows: `refit.batch` at most. */
  step(ratings: Uint32Array): void {
    const { config, history } = this.#context;
    let total = 0;
    for (const rating of ratings) {
      this.#add(rating);
      total += history.weight(rating);
    }
    const { eta, l2 } = config.refit;
    for (const vectors of [this.#users, this.#items]) vectors.step(eta, l2);
    this.#steps++;
    // The tower's gradient is a mean over the batch, which Adam does not see: but small ones, beside its EPSILON.
    if (total === 0) return;
    for (const { w, b } of this.#layers) {
      this.#stepBlock(w);
      this.#stepBlock(b);
    }
    this.#stepBlock(this.#products);
    this.#stepBlock(this.#numbers);
  }

  /** Adds the gradients of (error²/2) of a rating. */
  #add(rating: number): void {
    const { config, kernels, history } = this.#context;
    const net = this.#net;
    const [user, item] = [history.user(rating), history.item(rating)];
    const [p, q] = [this.#users.vectorOf(user), this.#items.vectorOf(item)];
    net.enter(p, q, this.#last);
    for (let n = 0; n < net.floors.length; n++) {
      net.climb(n, false);
      this.#drop(n);
    }
    const missed = history.value(rating) - this.#base.expect(user, item);
    const error = bounded(missed - net.conclude(p, this.#last));
    net.back(this.#last, false, 1 / (1 - config.refit.dropout));
    const share = -error * history.weight(rating);
    kernels.addTo(this.#users.gradientOf(user), net.user, net.width, share);
    kernels.addTo(this.#items.gradientOf(item), net.item, net.width, share);
    kernels.addTo(this.#products.gradient, net.products, config.gmf.k, share);
    kernels.addTo(this.#numbers.gradient, net.numbers, net.topWidth, share);
    for (const [n, { x, z, ins, outs }] of net.floors.entries()) {
      kernels.addOuter(this.#layers[n].w.gradient, x, z, ins, outs, share);
      kernels.addTo(this.#layers[n].b.gradient, z, outs, share);
    }
  }

  /** Inverted dropout (Srivastava et al. 2014): what is kept of a layer's numbers is as much larger. */
  #drop(n: number): void {
    const { config, memory, random } = this.#context;
    const { dropout } = config.refit;
    if (dropout === 0) return;
    const { y, outs } = this.#net.floors[n];
    const keep = 1 / (1 - dropout);
    const most = dropout * 2 ** 32;
    for (let at = y >>> 2; at < (y >>> 2) + outs; at++) memory.f32[at] *= random.next() < most ? 0 : keep;
  }

  #stepBlock({ at, length, gradient, mean, squares }: Block): void {
    const { config, kernels } = this.#context;
    adam(kernels, at, gradient, mean, squares, length, config.refit.eta, 0, this.#steps);
    shorten(at, length, kernels, LAYER_MAX);
  }
}

/** The vectors of one side, and the gradients of those that a batch names. */
class Vectors {
  readonly vectorOf: (row: number) => WritableAddress;
  readonly #context: Context;
  readonly #width: number;
  readonly #mean: WritableAddress;
  readonly #squares: WritableAddress;
  readonly #gradients: WritableAddress;
  readonly #steps: Uint32Array;
  /** Of every row: 1 + the number of its gradient in this batch, or 0. */
  readonly #slots: Uint32Array;
  readonly #named: number[] = [];

  constructor(context: Context, side: 'users' | 'items', width: number) {
    const { config, tables } = context;
    const rows = context[side];
    this.#context = context;
    this.#width = width;
    this.vectorOf = tables[side].column('vector');
    this.#mean = zeros(context, rows * width);
    this.#squares = zeros(context, rows * width);
    this.#gradients = zeros(context, config.refit.batch * width);
    this.#steps = new Uint32Array(rows);
    this.#slots = new Uint32Array(rows);
  }

  gradientOf(row: number): WritableAddress {
    if (this.#slots[row] === 0) this.#slots[row] = this.#named.push(row);
    return this.#at(this.#gradients, this.#slots[row] - 1);
  }

  step(eta: number, l2: number): void {
    const { kernels } = this.#context;
    for (const row of this.#named) {
      const vector = this.vectorOf(row);
      const steps = ++this.#steps[row];
      const [mean, squares] = [this.#at(this.#mean, row), this.#at(this.#squares, row)];
      adam(kernels, vector, this.gradientOf(row), mean, squares, this.#width, eta, l2, steps);
      shorten(vector, this.#width, kernels);
      this.#slots[row] = 0;
    }
    this.#named.length = 0;
  }

  #at(start: WritableAddress, row: number): WritableAddress {
    return (start + 4 * this.#width * row) as WritableAddress;
  }
}

function newBlock(context: Context, at: WritableAddress, length: number): Block {
  const [gradient, mean, squares] = [1, 2, 3].map(() => zeros(context, length));
  return { at, length, gradient, mean, squares };
}

function zeros({ scratch, memory }: Context, length: number): WritableAddress {
  const at = scratch(4 * Math.max(1, length));
  memory.f32.fill(0, at >>> 2, (at >>> 2) + length);
  return at;
}

function adam(
  kernels: NcfKernels,
  at: WritableAddress,
  gradient: WritableAddress,
  mean: WritableAddress,
  squares: WritableAddress,
  length: number,
  eta: number,
  l2: number,
  steps: number,
): void {
  const rate = eta / (1 - power(BETA1, steps));
  kernels.adam(at, gradient, mean, squares, length, rate, l2, BETA1, BETA2, 1 / (1 - power(BETA2, steps)));
}

/** base^n by squaring: `Math.pow` differs between engines. */
function power(base: number, n: number): number {
  let result = 1;
  for (let left = n, square = base; left > 0; left = Math.floor(left / 2), square *= square) {
    if (left % 2 === 1) result *= square;
  }
  return result;
}
