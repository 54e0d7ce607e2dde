import {
  type Column,
  type Input,
  type Memory,
  NO_ROW,
  type ReadTables,
  type WritableAddress,
} from '../contract/index.ts';
import type { StackConfig } from './config.ts';
import type { StackKernels } from './kernels.ts';
import type { StackTables } from './tables.ts';

/** What the reading and the learning side are both given. */
export interface StackContext {
  readonly config: StackConfig;
  readonly tables: ReadTables<StackTables>;
  readonly memory: Memory;
  readonly kernels: StackKernels;
  readonly inputs: readonly Input[];
  scratch(bytes: number): WritableAddress;
}

type UserColumn = keyof StackTables['users']['columns'];

/** Reads what is known of users and items; of those without a row it is all 0. */
export class State {
  readonly #doubles: Memory['f64'];
  readonly #user: Readonly<Record<UserColumn, Column>>;
  readonly #item: Column;

  constructor({ tables: { users, items }, memory }: Pick<StackContext, 'tables' | 'memory'>) {
    this.#doubles = memory.f64;
    this.#user = {
      count: users.column('count'),
      last: users.column('last'),
      fast: users.column('fast'),
      slow: users.column('slow'),
      square: users.column('square'),
      base: users.column('base'),
    };
    this.#item = items.column('count');
  }

  user(column: UserColumn, row: number): number {
    return row === NO_ROW ? 0 : this.#doubles[this.#user[column](row) >>> 3];
  }

  /** First ratings of an item that were learned. */
  itemCount(row: number): number {
    return row === NO_ROW ? 0 : this.#doubles[this.#item(row) >>> 3];
  }

  /** Seconds since the user's last event; 0 for one who had none. */
  gap(user: number, time: number): number {
    return this.user('count', user) === 0 ? 0 : Math.max(0, time - this.user('last', user));
  }
}
