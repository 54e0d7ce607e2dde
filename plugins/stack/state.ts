import {
  type Address,
  type Column,
  type Input,
  type Memory,
  NO_ROW,
  type ReadTables,
  type Table,
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

type UserColumns = StackTables['users']['columns'];
type UserColumn = keyof UserColumns;

/** Where each number of a user is: for reading, or for writing. */
export function userColumns<A extends Address>(users: Table<UserColumns, A>): Record<UserColumn, Column<A>> {
  return {
    count: users.column('count'),
    last: users.column('last'),
    fast: users.column('fast'),
    slow: users.column('slow'),
    square: users.column('square'),
    base: users.column('base'),
  };
}

/** Reads what is known of users and items; of those without a row it is all 0. */
export class State {
  readonly #doubles: Memory['f64'];
  readonly #user: Readonly<Record<UserColumn, Column>>;
  readonly #item: Column;

  constructor({ tables: { users, items }, memory }: Pick<StackContext, 'tables' | 'memory'>) {
    this.#doubles = memory.f64;
    this.#user = userColumns(users);
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
