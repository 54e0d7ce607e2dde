import { type LearnContext, ln, type WritableAddress, type WriteTables } from '../../contract/index.ts';
import type { MfConfig } from '../config.ts';
import type { MfKernels } from '../kernels.ts';
import { placing } from '../standing.ts';
import type { MfTables } from '../tables.ts';
import { gramOf } from './gram.ts';
import { Positives, type SideName, type Weighing } from './positives.ts';
import { pullOf } from './pull.ts';
import { RowSolver } from './row-solver.ts';

/** What both learning and a refit have. */
export type IalsContext = Pick<
  LearnContext<MfConfig, MfTables, MfKernels>,
  'config' | 'tables' | 'memory' | 'kernels' | 'history' | 'events' | 'reset' | 'scratch'
>;

/** Numbers of a vector stay within this; `ials.as.ts` has it too. */
const BOX = 10;

/** The rows of users, or those of items. */
export interface Half {
  readonly name: SideName;
  readonly vectorOf: (row: number) => WritableAddress;
  /** Where the number of a row's positives is, an index. */
  readonly countOf: (row: number) => number;
  /** S of their vectors, and where the number of these is, an index. */
  readonly gram: WritableAddress;
  readonly size: number;
}

/** What is done to one row; S is kept in step by all but `solve`. */
export class Rows {
  readonly users: Half;
  readonly items: Half;
  readonly positives: Positives;
  readonly #context: IalsContext;
  readonly #solver: RowSolver;
  readonly #place: (item: number) => void;
  readonly #rankOf: (item: number) => WritableAddress;
  readonly #knownOf: (item: number) => WritableAddress;
  /** Of the positives at hand: addresses of their vectors, weights, products; and the vectors as columns. */
  readonly #vectors: WritableAddress;
  readonly #weights: WritableAddress;
  readonly #products: WritableAddress;
  readonly #columns: WritableAddress;
  #count = 0;
  /** Of a row that is solved, its positives: kept from one row to the next, since making lists takes time. */
  readonly #others: number[] = [];
  readonly #othersWeights: number[] = [];

  constructor(context: IalsContext, weighing: Weighing) {
    const { config, tables, kernels, history, events, scratch } = context;
    const { k } = config;
    const most = 4 * Math.ceil(config.ials.history / 4);
    this.#context = context;
    this.users = halfOf('users', tables.users, tables.userGram, k);
    this.items = halfOf('items', tables.items, tables.itemGram, k);
    this.positives = new Positives(history, events, weighing);
    this.#solver = new RowSolver(k, kernels, scratch);
    this.#place = placing(context);
    this.#rankOf = tables.items.column('rank');
    this.#knownOf = tables.items.column('known');
    this.#vectors = scratch(4 * most);
    this.#weights = scratch(4 * most);
    this.#products = scratch(4 * most);
    this.#columns = scratch(4 * k * most);
  }

  /** Whether anything speaks for a row. */
  isCounted(half: Half, row: number): boolean {
    return this.#context.memory.u32[half.countOf(row)] > 0;
  }

  /** Counts a positive of a row (1), or one that is gone (-1): with the first a row is in S, with the last it begins anew. */
  count(half: Half, row: number, more: 1 | -1): void {
    const { memory, reset } = this.#context;
    const at = half.countOf(row);
    const count = memory.u32[at] + more;
    memory.u32[at] = count;
    if (count === 1 && more === 1) this.join(half, row);
    if (count > 0) return;
    this.#addOuter(half, row, -1);
    memory.u32[half.size]--;
    reset(half.name, row);
  }

  /**
   * Sets the numbers of a row's vector one after the other, each to what is best as the others are: by a positive that is new,
   * and those before it but for a rating of `but`.
   */
  descend(half: Half, row: number, other: number, weight: number, but: number): void {
    const { config, kernels } = this.#context;
    const { k, ials } = config;
    this.#count = 0;
    this.#list(half, other, weight);
    this.positives.visit(half.name, row, ials.history - 1, but, (each, its) => this.#list(half, each, its));
    const stride = this.#fill(half, row);
    const vector = half.vectorOf(row);
    const { gram } = this.#opposite(half);
    const pull = this.#pull(half, row);
    const [columns, weights, products] = [this.#columns, this.#weights, this.#products];
    this.#addOuter(half, row, -1);
    kernels.gather(this.#vectors, this.#count, stride, k, columns);
    kernels.expectAll(vector, k, columns, stride, products);
    for (let pass = 0; pass < ials.passes; pass++)
      kernels.descend(vector, k, columns, stride, weights, products, gram, ials.missing, pull);
    this.#addOuter(half, row, 1);
  }

  /** Solves a row from what remains once a positive is gone; a rating of `but` is passed over. */
  resolve(half: Half, row: number, but: number): void {
    this.#addOuter(half, row, -1);
    this.solve(half, row, this.#context.config.ials.history, but);
    this.#addOuter(half, row, 1);
  }

  /** Solves a row that has positives from its latest `most`. S is as it was. */
  solve(half: Half, row: number, most: number, but: number): void {
    const { config, memory } = this.#context;
    const opposite = this.#opposite(half);
    const [others, weights] = [this.#others, this.#othersWeights];
    others.length = weights.length = 0;
    this.positives.visit(half.name, row, most, but, (other, weight) => {
      others.push(other);
      weights.push(weight);
    });
    const scale = Math.max(1, memory.u32[half.countOf(row)] / Math.max(1, others.length));
    this.#solver.begin(opposite.gram, config.ials.missing, this.#pull(half, row));
    for (let n = 0; n < others.length; n++) this.#solver.add(opposite.vectorOf(others[n]), scale * weights[n]);
    const solution = this.#solver.solve() >>> 3;
    const from = half.vectorOf(row) >>> 2;
    for (let f = 0; f < config.k; f++) memory.f32[from + f] = Math.min(BOX, Math.max(-BOX, memory.f64[solution + f]));
  }

  /** Nothing is in S of a side. */
  clear({ gram, size }: Half): void {
    const { memory, config } = this.#context;
    memory.f64.fill(0, gram >>> 3, (gram >>> 3) + config.k ** 2);
    memory.u32[size] = 0;
  }

  /** Puts a row into S, if it has positives. */
  join(half: Half, row: number): void {
    const { memory } = this.#context;
    if (memory.u32[half.countOf(row)] === 0) return;
    this.#addOuter(half, row, 1);
    memory.u32[half.size]++;
  }

  /** After an item's count or vector changed: what ranking and likeness read of it. */
  place(item: number): void {
    const { f32: floats, u32: words } = this.#context.memory;
    const count = words[this.items.countOf(item)];
    floats[this.#rankOf(item) >>> 2] = ln(1 + count);
    floats[this.#knownOf(item) >>> 2] = count > 0 ? 1 : 0;
    this.#place(item);
  }

  #opposite(half: Half): Half {
    return half === this.users ? this.items : this.users;
  }

  #pull(half: Half, row: number): number {
    const { memory, config } = this.#context;
    return pullOf(config.ials, memory.u32[half.countOf(row)], memory.u32[this.#opposite(half).size]);
  }

  #addOuter(half: Half, row: number, sign: 1 | -1): void {
    const { kernels, config } = this.#context;
    kernels.addOuter(half.gram, half.vectorOf(row), config.k, sign);
  }

  #list(half: Half, other: number, weight: number): void {
    const { memory } = this.#context;
    memory.u32[(this.#vectors >>> 2) + this.#count] = this.#opposite(half).vectorOf(other);
    memory.f32[(this.#weights >>> 2) + this.#count++] = weight;
  }

  /** What is listed stands for all of the row; behind it is nothing, up to a multiple of four. Returns that. */
  #fill(half: Half, row: number): number {
    const { f32: floats, u32: words } = this.#context.memory;
    const from = this.#weights >>> 2;
    const stride = 4 * Math.ceil(this.#count / 4);
    const scale = words[half.countOf(row)] / this.#count;
    if (scale > 1) for (let n = 0; n < this.#count; n++) floats[from + n] *= scale;
    floats.fill(0, from + this.#count, from + stride);
    return stride;
  }
}

function halfOf(
  name: SideName,
  table: WriteTables<MfTables>['users'],
  gramTable: WriteTables<MfTables>['users'],
  k: number,
): Half {
  const countOf = table.column('ratings');
  return {
    name,
    vectorOf: table.column('vector'),
    countOf: (row) => countOf(row) >>> 2,
    gram: gramOf(gramTable, k),
    size: gramTable.column('count')(0) >>> 2,
  };
}
