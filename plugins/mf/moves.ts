import { type Memory, NO_ROW, type ReadTables, type WritableMemory, type WriteTables } from '../contract/index.ts';
import { boundBias } from './biases.ts';
import type { MfConfig } from './config.ts';
import type { MfTables } from './tables.ts';

/**
 * What items have moved by with the last drift that they met, and how far users follow that: not everybody sees a change. Of
 * user u and item i a prediction has
 *
 *     (1 + f_u) d_i              d: 0 before the item met a drift;  f: 0 of who rated nothing that moved
 *
 * more, learned in the same step of the Kalman filter as the base, to first order (extended: Jazwinski 1970). For variances
 * F and D of f and d, of which D is what items have moved by in the mean square when the item meets the drift:
 *
 *     h = D (1 + f), k = F d        S has h (1 + f) + k d + F D more;  d += h e/S, D -= h²/S;  f += k e/S, F -= k²/S
 *
 * Without it, those who follow and those who do not would take from an item in turn what the others taught it.
 */

/** F before a user rated what moved: of followers who are three of four, f is 1/3 or -1, .33 in the mean square. */
const FOLLOW_VARIANCE = 0.3;

export class Moves {
  protected readonly doubles: Memory['f64'];
  readonly #follow: (user: number) => number;
  readonly #move: (item: number) => number;

  constructor({ users, items }: ReadTables<MfTables>, { f64: doubles }: Memory) {
    this.doubles = doubles;
    this.#follow = users.column('follow');
    this.#move = items.column('move');
  }

  /** (1 + f) d; either may be `NO_ROW`. */
  of(user: number, item: number): number {
    return this.ofAll(item) + this.beyond(user, item);
  }

  /** d */
  ofAll(item: number): number {
    return item === NO_ROW ? 0 : this.doubles[this.#move(item) >>> 3];
  }

  /** f d: what this user follows more or less than others do. */
  beyond(user: number, item: number): number {
    return user === NO_ROW ? 0 : this.doubles[this.#follow(user) >>> 3] * this.ofAll(item);
  }
}

/** Learns them. What `spread` looked at is what `learn` then moves. */
export class MovesLearner extends Moves {
  readonly #memory: WritableMemory;
  readonly #at: ReturnType<typeof columnsOf>;
  /** h and k of the step at hand. */
  #h = 0;
  #k = 0;

  constructor(tables: WriteTables<MfTables>, memory: WritableMemory) {
    super(tables, memory);
    this.#memory = memory;
    this.#at = columnsOf(tables);
  }

  /** What S has more. */
  spread(user: number, item: number, learnsUser: boolean, learnsItem: boolean): number {
    const { f64: doubles } = this.#memory;
    this.#h = this.#k = 0;
    const moved = doubles[this.#at.moveVariance(item) >>> 3];
    if (moved === 0) return 0;
    const variance = this.#at.followVariance(user) >>> 3;
    if (learnsUser && doubles[variance] === 0) doubles[variance] = FOLLOW_VARIANCE;
    const [follows, by] = [1 + doubles[this.#at.follow(user) >>> 3], this.ofAll(item)];
    if (learnsItem) this.#h = moved * follows;
    if (learnsUser) this.#k = doubles[variance] * by;
    return this.#h * follows + this.#k * by + (learnsUser && learnsItem ? doubles[variance] * moved : 0);
  }

  learn(user: number, item: number, error: number, spread: number): void {
    this.#move(this.#at.move(item), this.#at.moveVariance(item), this.#h, error, spread);
    this.#move(this.#at.follow(user), this.#at.followVariance(user), this.#k, error, spread);
  }

  /** What an item moved by until now is part of it: y takes it, and the next move begins at 0, with this variance. */
  reopenItem(item: number, bias: number, variance: number): void {
    const { f64: doubles } = this.#memory;
    doubles[bias] = boundBias(doubles[bias] + this.ofAll(item));
    doubles[this.#at.move(item) >>> 3] = 0;
    doubles[this.#at.moveVariance(item) >>> 3] = variance;
  }

  reopenUser(user: number): void {
    const { f64: doubles } = this.#memory;
    doubles[this.#at.follow(user) >>> 3] = doubles[this.#at.followVariance(user) >>> 3] = 0;
  }

  #move(value: number, variance: number, gain: number, error: number, spread: number): void {
    if (gain === 0) return;
    const { f64: doubles } = this.#memory;
    doubles[value >>> 3] = boundBias(doubles[value >>> 3] + (gain / spread) * error);
    doubles[variance >>> 3] -= (gain * gain) / spread;
  }
}

const columnsOf = ({ users, items }: WriteTables<MfTables>) => ({
  follow: users.column('follow'),
  followVariance: users.column('followVariance'),
  move: items.column('move'),
  moveVariance: items.column('moveVariance'),
});

/** Where somebody watches for drift. */
export const movesOf = ({ drift }: MfConfig, tables: ReadTables<MfTables>, memory: Memory): Moves | undefined =>
  drift.enabled ? new Moves(tables, memory) : undefined;

export const movesLearnerOf = (
  { drift }: MfConfig,
  tables: WriteTables<MfTables>,
  memory: WritableMemory,
): MovesLearner | undefined => (drift.enabled ? new MovesLearner(tables, memory) : undefined);
