import type { LearnContext, WritableAddress } from '../../contract/index.ts';
import { boundBias } from '../biases.ts';
import type { MfConfig } from '../config.ts';
import type { MfKernels } from '../kernels.ts';
import { shorten } from '../optimiser.ts';
import { NOWHERE } from '../predictor.ts';
import { placing } from '../standing.ts';
import type { MfTables } from '../tables.ts';

/** What both learning and a refit have. */
export type FeedbackContext = Pick<
  LearnContext<MfConfig, MfTables, MfKernels>,
  'config' | 'tables' | 'memory' | 'kernels' | 'history' | 'events' | 'random' | 'reset' | 'scratch'
> & { readonly touch?: LearnContext<MfConfig, MfTables, MfKernels>['touch'] };

/** Whose rows a step moves: the user's alone, its and the item's (with what all share), or also those drawn. */
export type Moves = 'user' | 'both' | 'drawn';

const SQUARES = 0.01;

/**
 * One user and some items, the first of which is the one at hand, the others drawn: their scores, and a step of their rows by
 * the errors that an objective finds (`learner.ts` has the rules).
 */
export class Steps {
  /** Of the items: rows, scores, and errors, which are to be set. */
  readonly items: Uint32Array;
  readonly scores: Float64Array;
  readonly errors: Float64Array;
  count = 0;
  readonly #context: FeedbackContext;
  readonly #k: number;
  readonly #users: Rows;
  readonly #items: Rows;
  /** Where what all share has its bias; of `logistic` alone. */
  readonly #shared: { readonly bias: number; readonly squares: number } | undefined;
  readonly #gradient: WritableAddress;
  readonly #before: WritableAddress;
  /** Of drawn items; of the one at hand it is done when it is counted, too. */
  readonly #place: (item: number) => void;
  #user = 0;

  constructor(context: FeedbackContext) {
    const { config, tables, scratch } = context;
    const most = config.feedback.negatives + 1;
    this.items = new Uint32Array(most);
    this.scores = new Float64Array(most);
    this.errors = new Float64Array(most);
    this.#context = context;
    this.#place = placing(context);
    this.#k = config.k;
    const isLogistic = config.objective === 'logistic';
    this.#users = rowsOf(tables.users, config.k, isLogistic);
    this.#items = rowsOf(tables.items, config.k, true);
    const { counters } = tables;
    this.#shared = isLogistic
      ? { bias: counters.column('bias')(0) >>> 2, squares: counters.column('biasSquares')(0) >>> 2 }
      : undefined;
    this.#gradient = scratch(4 * Math.max(1, config.k));
    this.#before = scratch(4 * Math.max(1, config.k));
  }

  begin(user: number): void {
    this.#user = user;
    this.count = 0;
  }

  /** Puts an item among those at hand; returns its score: b + b_u + b_i + <p_u, q_i>, of `logistic`, else b_i + <p_u, q_i>. */
  add(item: number): number {
    const { memory, kernels } = this.#context;
    const { f32: floats } = memory;
    let score = floats[this.#items.bias(item) >>> 2];
    if (this.#shared) score += floats[this.#shared.bias] + floats[this.#users.bias(this.#user) >>> 2];
    if (this.#k > 0) score += kernels.dot(this.#users.vector(this.#user), this.#items.vector(item), this.#k);
    this.items[this.count] = item;
    this.scores[this.count] = score;
    this.errors[this.count] = 0;
    this.count++;
    return score;
  }

  /** Steps against the errors; all rows from where they were. */
  move(moves: Moves): void {
    const { memory } = this.#context;
    const k = this.#k;
    const p = this.#users.vector(this.#user);
    const square = this.#square(p);
    memory.f32.copyWithin(this.#before >>> 2, p >>> 2, (p >>> 2) + k);
    this.#moveUser();
    if (moves === 'user') return;
    if (this.#shared) this.#moveBias(this.#shared.bias, this.#shared.squares, this.#sum());
    const last = moves === 'drawn' ? this.count : 1;
    for (let n = 0; n < last; n++) {
      const item = this.items[n];
      if (n > 0) this.#context.touch?.('items', item);
      this.#moveItem(item, this.errors[n], square);
      if (n > 0) this.#place(item);
    }
  }

  /** Takes back the step of the item at hand, and that of what all share, as it would be now; the user's row is read. */
  back(): void {
    const { memory, kernels, config } = this.#context;
    const { eta } = config.feedback;
    const [item, error] = [this.items[0], this.errors[0]];
    if (this.#shared) this.#backBias(this.#shared.bias, this.#shared.squares, this.#sum());
    this.#backBias(this.#items.bias(item) >>> 2, this.#items.biasSquares(item) >>> 2, error);
    if (this.#k === 0) return;
    const p = this.#users.vector(this.#user);
    const squares = this.#items.squares(item) >>> 2;
    const rate = eta / Math.sqrt(SQUARES + memory.f32[squares]);
    kernels.sgd(this.#items.vector(item), p, this.#k, -rate, error, 0);
    shorten(this.#items.vector(item), this.#k, kernels, memory);
    memory.f32[squares] = Math.max(0, memory.f32[squares] - error * error * this.#square(p));
  }

  /** |p|²/k */
  #square(vector: WritableAddress): number {
    return this.#k === 0 ? 0 : this.#context.kernels.dot(vector, vector, this.#k) / this.#k;
  }

  #sum(): number {
    let sum = 0;
    for (let n = 0; n < this.count; n++) sum += this.errors[n];
    return sum;
  }

  #moveUser(): void {
    const { memory, kernels } = this.#context;
    const k = this.#k;
    if (this.#shared) {
      const user = this.#user;
      this.#moveBias(this.#users.bias(user) >>> 2, this.#users.biasSquares(user) >>> 2, this.#sum());
    }
    if (k === 0) return;
    const gradient = this.#gradient;
    memory.f32.fill(0, gradient >>> 2, (gradient >>> 2) + k);
    for (let n = 0; n < this.count; n++)
      if (this.errors[n] !== 0) kernels.sgd(gradient, this.#items.vector(this.items[n]), k, this.errors[n], 1, 0);
    this.#moveVector(this.#users, this.#user, gradient, 1, this.#square(gradient));
  }

  #moveItem(item: number, error: number, square: number): void {
    if (error === 0) return;
    this.#moveBias(this.#items.bias(item) >>> 2, this.#items.biasSquares(item) >>> 2, error);
    if (this.#k > 0) this.#moveVector(this.#items, item, this.#before, error, error * error * square);
  }

  /** x += eta/sqrt(.01 + S) (error other - l2 x), S with this step's `square`. */
  #moveVector(rows: Rows, row: number, other: WritableAddress, error: number, square: number): void {
    const { memory, kernels, config } = this.#context;
    const { eta, l2 } = config.feedback;
    const squares = rows.squares(row) >>> 2;
    memory.f32[squares] += square;
    const vector = rows.vector(row);
    kernels.sgd(vector, other, this.#k, eta / Math.sqrt(SQUARES + memory.f32[squares]), error, l2);
    shorten(vector, this.#k, kernels, memory);
  }

  #moveBias(at: number, squares: number, error: number): void {
    const { f32: floats } = this.#context.memory;
    const { biasEta, l2 } = this.#context.config.feedback;
    floats[squares] += error * error;
    floats[at] = boundBias(floats[at] + (biasEta / Math.sqrt(SQUARES + floats[squares])) * (error - l2 * floats[at]));
  }

  #backBias(at: number, squares: number, error: number): void {
    const { f32: floats } = this.#context.memory;
    floats[at] = boundBias(
      floats[at] - (this.#context.config.feedback.biasEta / Math.sqrt(SQUARES + floats[squares])) * error,
    );
    floats[squares] = Math.max(0, floats[squares] - error * error);
  }
}

type Rows = ReturnType<typeof rowsOf>;

function rowsOf(table: FeedbackContext['tables']['users'], k: number, hasBias: boolean) {
  const nowhere = () => NOWHERE as WritableAddress;
  return {
    vector: k === 0 ? nowhere : table.column('vector'),
    squares: k === 0 ? nowhere : table.column('squares'),
    bias: hasBias ? table.column('bias') : nowhere,
    biasSquares: hasBias ? table.column('biasSquares') : nowhere,
  };
}
