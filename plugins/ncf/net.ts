import type { Address, ReadTables, ScoreContext, WritableAddress } from '../contract/index.ts';
import type { NcfConfig } from './config.ts';
import type { NcfKernels } from './kernels.ts';
import { type Layer, layersOf } from './shape.ts';
import type { NcfTables } from './tables.ts';

/** A layer of the tower, where its weights are, and where its numbers are when it has worked. */
interface Floor extends Layer {
  readonly w: Address;
  readonly b: Address;
  readonly up: Address;
  readonly down: Address;
  /** x, y: what goes in and comes out. t = B x. z, s: gradients of what comes out, before it is rectified, and of t. */
  readonly x: WritableAddress;
  readonly y: WritableAddress;
  readonly t: WritableAddress;
  readonly z: WritableAddress;
  readonly s: WritableAddress;
}

/** Where the last layer is. */
export interface Last {
  readonly products: Address;
  readonly numbers: Address;
}

const NOWHERE = 0 as WritableAddress;

export type NetContext = Pick<ScoreContext<NcfConfig, NcfTables, NcfKernels>, 'config' | 'kernels' | 'scratch'> & {
  readonly tables: ReadTables<NcfTables>;
};

/** The network, with what it remembers of the pair that it looked at last. Formulas are in `plugin.ts`. */
export class Net {
  readonly floors: readonly Floor[];
  /** Numbers in the vector of a user or an item, and those that the tower ends in. */
  readonly width: number;
  readonly topWidth: number;
  /** What the last layer weighs: the products, and the numbers of the tower. They are also the gradients of the last layer. */
  readonly products: WritableAddress;
  readonly numbers: WritableAddress;
  /** Gradients of what the network says by the vectors of the user and of the item. */
  readonly user: WritableAddress;
  readonly item: WritableAddress;
  readonly #kernels: NcfKernels;
  readonly #gmf: number;
  readonly #tower: number;
  readonly #rank: number;
  /** The gradient by what goes into the first layer. */
  readonly #entry: WritableAddress;

  constructor({ config, tables: { model }, kernels, scratch }: NetContext) {
    const { gmf, tower } = config;
    const shape = layersOf(tower);
    this.#kernels = kernels;
    this.#gmf = gmf.k;
    this.#tower = tower.k;
    this.#rank = tower.rank;
    this.width = gmf.k + tower.k;
    this.topWidth = shape[shape.length - 1].outs;
    this.products = scratch(4 * gmf.k);
    this.user = scratch(4 * this.width);
    this.item = scratch(4 * this.width);
    this.#entry = scratch(4 * 2 * tower.k);
    const floors: Floor[] = [];
    let x = scratch(4 * 2 * tower.k);
    for (const [n, { ins, outs }] of shape.entries()) {
      const y = scratch(4 * outs);
      const adapter = (name: string) => (tower.rank === 0 ? NOWHERE : model.column(name)(0));
      floors.push({
        ins,
        outs,
        w: model.column(`w${n}`)(0),
        b: model.column(`b${n}`)(0),
        up: adapter(`up${n}`),
        down: adapter(`down${n}`),
        x,
        y,
        t: scratch(4 * Math.max(1, tower.rank)),
        z: scratch(4 * outs),
        s: scratch(4 * Math.max(1, tower.rank)),
      });
      x = y;
    }
    this.floors = floors;
    this.numbers = x;
  }

  /** What it says of a pair, given their vectors and the last layer; without adapters when it is not `adapted`. */
  say(p: Address, q: Address, last: Last, adapted = true): number {
    this.enter(p, q, last);
    for (let n = 0; n < this.floors.length; n++) this.climb(n, adapted);
    return this.conclude(p, last);
  }

  /** The three parts of `say`; between them, a refit drops some of the numbers. */
  enter(p: Address, q: Address, last: Last): void {
    const kernels = this.#kernels;
    const gmf = this.#gmf;
    kernels.products(p, q, last.products, gmf, this.products, this.user, this.item);
    const { x } = this.floors[0];
    kernels.copy(x, at(p, gmf), this.#tower);
    kernels.copy(at(x, this.#tower), at(q, gmf), this.#tower);
  }

  climb(n: number, adapted: boolean): void {
    const { x, w, b, up, down, ins, outs, t, y } = this.floors[n];
    this.#kernels.layer(x, w, b, up, down, adapted ? this.#rank : 0, ins, outs, t, y);
  }

  conclude(p: Address, last: Last): number {
    return this.multiplied(p) + this.#kernels.dot(last.numbers, this.numbers, this.topWidth);
  }

  /** What the products say, after `enter`. */
  multiplied(p: Address): number {
    return this.#kernels.dot(p, this.user, this.#gmf);
  }

  /** The gradients of what it just said. `keep`: 1/(share that is kept), where some numbers were dropped. */
  back(last: Last, adapted = true, keep = 1): void {
    const kernels = this.#kernels;
    const gmf = this.#gmf;
    const tower = this.#tower;
    const { floors } = this;
    kernels.copy(floors[floors.length - 1].z, last.numbers, this.topWidth);
    for (let n = floors.length - 1; n >= 0; n--) {
      const { z, y, w, up, down, ins, outs, s } = floors[n];
      const dx = n === 0 ? this.#entry : floors[n - 1].z;
      kernels.back(z, y, w, up, down, adapted ? this.#rank : 0, ins, outs, keep, s, dx);
    }
    kernels.copy(at(this.user, gmf), this.#entry, tower);
    kernels.copy(at(this.item, gmf), at(this.#entry, tower), tower);
  }
}

/** The address of element `n`. */
function at<A extends Address>(address: A, n: number): A {
  return (address + 4 * n) as A;
}
