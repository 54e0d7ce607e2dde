import type { Address, RefitContext, WritableAddress } from '../contract/index.ts';
import { Base } from './base.ts';
import type { NcfConfig } from './config.ts';
import { bounded } from './gate.ts';
import type { NcfKernels } from './kernels.ts';
import { type Last, Net } from './net.ts';
import { LAYER_MAX, shorten } from './shorten.ts';
import type { NcfTables } from './tables.ts';
import { gradientsOf, type TowerBatch } from './tower-gradients.ts';

/**
 * The training step of a refit. A batch of ratings steps the vectors that it names (sparse) and the whole tower and last
 * layer (dense) by Adam (Kingma & Ba 2015), each vector with a count of steps of its own. A device takes over the tower's
 * gradients where products of such batches are faster there (`tower-gradients.ts`).
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
  async step(ratings: Uint32Array): Promise<void> {
    const { config, history } = this.#context;
    if (this.#isForDevice) await this.#addByDevice(ratings);
    else for (const rating of ratings) this.#add(rating);
    const total = ratings.reduce((sum, rating) => sum + history.weight(rating), 0);
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

  /** It may fail in between. */
  get #isForDevice(): boolean {
    const { config, device } = this.#context;
    const largest = Math.max(...this.#net.floors.map(({ ins, outs }) => ins * outs));
    return config.refit.batch * largest >= device.crossover;
  }

  /** Adds the gradients of (error²/2) of a rating. */
  #add(rating: number): void {
    const { config, kernels, history } = this.#context;
    const net = this.#net;
    const { user, item, p } = this.#enter(rating);
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

  /** The same of all of them: what the tower has part in on the device, and that of the products by kernels. */
  async #addByDevice(ratings: Uint32Array): Promise<void> {
    const { config, kernels, device } = this.#context;
    const net = this.#net;
    const { k } = config.gmf;
    const batch = this.#gather(ratings);
    const { shares, entry, numbers, layers } = await device.run((on) => gradientsOf(on, batch));
    const { x, ins } = net.floors[0];
    for (const [n, rating] of ratings.entries()) {
      const { user, item } = this.#enter(rating);
      const [ofUser, ofItem] = [this.#users.gradientOf(user), this.#items.gradientOf(item)];
      kernels.addTo(ofUser, net.user, k, shares[n]);
      kernels.addTo(ofItem, net.item, k, shares[n]);
      kernels.addTo(this.#products.gradient, net.products, k, shares[n]);
      this.#write(x, entry.subarray(n * ins, (n + 1) * ins));
      kernels.addTo(element(ofUser, k), x, ins / 2, 1);
      kernels.addTo(element(ofItem, k), element(x, ins / 2), ins / 2, 1);
    }
    this.#write(this.#numbers.gradient, numbers);
    for (const [n, { w, b }] of layers.entries()) {
      this.#write(this.#layers[n].w.gradient, w);
      this.#write(this.#layers[n].b.gradient, b);
    }
  }

  #gather(ratings: Uint32Array): TowerBatch {
    const { config, history } = this.#context;
    const { floors } = this.#net;
    const { x, ins } = floors[0];
    const entry = new Float32Array(ratings.length * ins);
    const left = new Float32Array(ratings.length);
    const masks = config.refit.dropout === 0 ? [] : floors.map(({ outs }) => new Float32Array(ratings.length * outs));
    for (const [n, rating] of ratings.entries()) {
      const { user, item, p } = this.#enter(rating);
      left[n] = history.value(rating) - this.#base.expect(user, item) - this.#net.multiplied(p);
      entry.set(this.#read(x, ins), n * ins);
      for (const [floor, mask] of masks.entries()) {
        const { outs } = floors[floor];
        for (let at = n * outs; at < (n + 1) * outs; at++) mask[at] = this.#draw();
      }
    }
    return {
      layers: floors.map(({ ins, outs, w, b }) => ({
        ...{ ins, outs },
        w: this.#read(w, ins * outs),
        b: this.#read(b, outs),
      })),
      numbers: this.#read(this.#numbers.at, this.#numbers.length),
      ...{ entry, left, masks },
      weights: Float32Array.from(ratings, (rating) => history.weight(rating)),
    };
  }

  /** Gives the network the two of a rating. */
  #enter(rating: number) {
    const { history } = this.#context;
    const [user, item] = [history.user(rating), history.item(rating)];
    const p = this.#users.vectorOf(user);
    this.#net.enter(p, this.#items.vectorOf(item), this.#last);
    return { user, item, p };
  }

  #read(at: Address, length: number): Float32Array {
    return this.#context.memory.f32.subarray(at >>> 2, (at >>> 2) + length);
  }

  #write(at: WritableAddress, numbers: Float32Array): void {
    this.#context.memory.f32.set(numbers, at >>> 2);
  }

  #drop(n: number): void {
    const { config, memory } = this.#context;
    if (config.refit.dropout === 0) return;
    const { y, outs } = this.#net.floors[n];
    for (let at = y >>> 2; at < (y >>> 2) + outs; at++) memory.f32[at] *= this.#draw();
  }

  /** Inverted dropout (Srivastava et al. 2014): what is kept of a layer's numbers is as much larger. */
  #draw(): number {
    const { config, random } = this.#context;
    const { dropout } = config.refit;
    return random.next() < dropout * 2 ** 32 ? 0 : 1 / (1 - dropout);
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

function element(address: WritableAddress, n: number): WritableAddress {
  return (address + 4 * n) as WritableAddress;
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
