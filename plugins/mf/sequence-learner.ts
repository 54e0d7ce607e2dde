import { type History, type LearnContext, NO_ROW, type WritableAddress, type WriteTables } from '../contract/index.ts';
import type { MfConfig } from './config.ts';
import { Draws } from './draws.ts';
import type { MfKernels } from './kernels.ts';
import { Listed } from './listed.ts';
import { shorten } from './optimiser.ts';
import { Standpoint } from './sequence.ts';
import type { MfTables } from './tables.ts';

/**
 * Factors of sequences: a sampled softmax over what is rated next (Jean et al. 2015), each row with a step size of its own
 * (Adagrad: Duchi, Hazan & Singer 2011). An item i that a user u rates at s (`sequence.ts`) is told apart from N items j:
 *
 *     x_j = b_j + <s, Q_j>        e_j = [j = i] - softmax(x)_j        g = sum_j e_j Q_j, of the Q as they were
 *     A_j += e_j² |s|²/k          Q_j += eta/sqrt(.01 + A_j) (e_j s - l2 Q_j)             b_j += .05 (e_j - .001 b_j)
 *     B_h += w_n² |g|²/k          Y_h += eta w_n/sqrt(.01 + B_h) (g - l2 Y_h)             of h = h_n
 *     C_u += |g|²/k               P_u += userEta/sqrt(.01 + C_u) (g - l2 P_u)
 *
 * of i and of its rivals, the few j whose softmax(x)_j is at least `rival` (`rivals`); of all of them (`full`); or of i alone,
 * where b is 0 (`local`). The j are rated by somebody, and not by u: drawn from all items, one in ten as the item of any
 * rating. Ratings' values mean nothing here.
 */

/** One draw in ten. */
const POPULAR = 0.1;
/** Fewer items than this are not told apart. */
const ITEMS_MIN = 20;
const SQUARES = 0.01;
const BIAS_STEP = 0.05;
const BIAS_L2 = 0.001;

/** What both learning and a refit have. */
export type SequenceContext = Pick<
  LearnContext<MfConfig, MfTables, MfKernels>,
  'config' | 'tables' | 'memory' | 'kernels' | 'history' | 'random' | 'reset' | 'scratch'
> & { readonly touch?: LearnContext<MfConfig, MfTables, MfKernels>['touch'] };

export class SequenceLearner {
  readonly #context: SequenceContext;
  readonly #standpoint: Standpoint;
  readonly #at: ReturnType<typeof columnsOf>;
  readonly #listed: Listed;
  readonly #draws: Draws;
  /** How likely what is told apart has to be for it to learn. */
  readonly #rival: number;
  /** Of what is told apart: items, and in the shared memory the addresses of their Q, and b and then e. */
  readonly #drawn: Uint32Array;
  readonly #rows: WritableAddress;
  readonly #errors: WritableAddress;
  readonly #gradient: WritableAddress;

  constructor(context: SequenceContext) {
    const { config, tables, memory, kernels, history, random, scratch, touch } = context;
    const { k, negatives, scope, rival } = config.sequence;
    this.#context = context;
    this.#rival = { local: Number.POSITIVE_INFINITY, rivals: rival, full: 0 }[scope];
    this.#standpoint = new Standpoint(config.sequence, tables, kernels, history, memory.f32, scratch(4 * k));
    this.#at = columnsOf(tables);
    this.#listed = new Listed(tables, memory, touch);
    this.#draws = new Draws(
      { random, memory, listed: this.#listed, ratingsOf: this.#at.ratings },
      {
        negatives,
        popular: POPULAR,
        chosen: (part) => itemAt(history, part),
        isFree: (user, item) => history.find(user, item) === NO_ROW,
      },
    );
    this.#drawn = new Uint32Array(negatives + 1);
    this.#rows = scratch(4 * (negatives + 1));
    this.#errors = scratch(4 * (negatives + 1));
    this.#gradient = scratch(4 * k);
  }

  /** Learns that a user rates an item, for the first time or again, after `count` ratings: all that are there, unless said. */
  learn(user: number, item: number, time: number, count = this.#context.history.userCount(user)): void {
    const { config, kernels, memory, touch } = this.#context;
    const { k } = config.sequence;
    if (this.#listed.add(item) < ITEMS_MIN) return;
    const latest = this.#standpoint.of(user, count, time, item);
    const drawn = this.#draw(user, item);
    kernels.contrast(this.#standpoint.at, this.#rows, k, drawn + 1, this.#errors, this.#gradient);
    const { at } = this.#standpoint;
    const square = kernels.dot(at, at, k) / k;
    for (let n = 0; n <= drawn; n++) {
      const error = memory.f32[(this.#errors >>> 2) + n];
      if (n < drawn && -error < this.#rival) continue;
      if (n < drawn) touch?.('sequence', this.#drawn[n]);
      this.#moveNext(this.#drawn[n], error, square);
    }
    this.#moveUser(user, latest);
  }

  /** The user's own vector begins anew, and the item's when nobody rates it any more; what others learned of it stays. */
  retract(user: number, item: number): void {
    const { reset, history } = this.#context;
    reset('tastes', user);
    if (history.itemCount(item) === 0) reset('sequence', item);
  }

  /** Draws what the item is told apart from, and puts it behind; returns how many there are. */
  #draw(user: number, item: number): number {
    const { negatives } = this.#context.config.sequence;
    this.#draws.begin(user, item);
    let count = 0;
    for (; count < negatives; count++) {
      const other = this.#draws.next();
      if (other === NO_ROW) break;
      this.#place(count, other);
    }
    this.#place(count, item);
    return count;
  }

  #place(n: number, item: number): void {
    const { f32: floats, u32: words } = this.#context.memory;
    this.#drawn[n] = item;
    words[(this.#rows >>> 2) + n] = this.#at.next(item);
    floats[(this.#errors >>> 2) + n] = floats[this.#at.bias(item) >>> 2];
  }

  #moveNext(item: number, error: number, square: number): void {
    const { config, memory, kernels } = this.#context;
    const { f32: floats } = memory;
    const { k, eta, l2, scope } = config.sequence;
    const vector = this.#at.next(item);
    const squares = this.#at.nextSquares(item) >>> 2;
    floats[squares] += error * error * square;
    kernels.sgd(vector, this.#standpoint.at, k, eta / Math.sqrt(SQUARES + floats[squares]), error, l2);
    shorten(vector, k, kernels, memory);
    if (scope === 'local') return;
    const bias = this.#at.bias(item) >>> 2;
    floats[bias] += BIAS_STEP * (error - BIAS_L2 * floats[bias]);
  }

  /** P, and the Y of the `latest` ratings. */
  #moveUser(user: number, latest: number): void {
    const { config, kernels, touch } = this.#context;
    const { k, eta, userEta } = config.sequence;
    const square = kernels.dot(this.#gradient, this.#gradient, k) / k;
    this.#move(this.#standpoint.tasteOf(user) as WritableAddress, this.#at.tasteSquares(user), userEta, 1, square);
    for (let n = 0; n < latest; n++) {
      const item = this.#standpoint.items[n];
      touch?.('sequence', item);
      this.#move(this.#at.trace(item), this.#at.traceSquares(item), eta, this.#standpoint.weights[n], square);
    }
  }

  #move(vector: WritableAddress, squares: WritableAddress, eta: number, weight: number, square: number): void {
    const { config, memory, kernels } = this.#context;
    const { k, l2 } = config.sequence;
    const at = squares >>> 2;
    memory.f32[at] += weight * weight * square;
    kernels.sgd(vector, this.#gradient, k, (eta * weight) / Math.sqrt(SQUARES + memory.f32[at]), 1, l2);
    shorten(vector, k, kernels, memory);
  }
}

/** The item of any rating. */
function itemAt(history: History, part: number): number {
  const rating = Math.floor(part * history.rows);
  return rating < history.rows && history.weight(rating) > 0 ? history.item(rating) : NO_ROW;
}

function columnsOf({ items, tastes, sequence }: WriteTables<MfTables>) {
  return {
    ratings: items.column('ratings'),
    tasteSquares: tastes.column('squares'),
    next: sequence.column('next'),
    nextSquares: sequence.column('nextSquares'),
    bias: sequence.column('bias'),
    trace: sequence.column('trace'),
    traceSquares: sequence.column('traceSquares'),
  };
}
