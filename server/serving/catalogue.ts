import type { Features } from '../memory/features/features.ts';
import { type Ids, TextKey } from '../memory/ids.ts';
import type { Lists } from '../memory/lists.ts';
import type { Reader } from '../memory/readers.ts';
import type { World } from '../memory/world.ts';
import type { Expression } from './filter/expression.ts';
import type { FilterMasks } from './filter/masks.ts';

/** What is known of items and users, read from the shared memory. */

export interface Known {
  readonly id: string;
  /** What callers told of it, encoded; undefined when it is known only from ratings. */
  readonly message: Uint8Array | undefined;
  /** Its live ratings. */
  readonly ratings: number;
}

/** What the messages of a page take together: clients take 4 MiB unless they say otherwise. No item has as much. */
const PAGE_BYTES_MAX = 3 * 2 ** 20;

export interface KnownPage {
  readonly items: readonly Known[];
  /** The row to go on after; undefined after the last page. */
  readonly last: number | undefined;
}

export class Catalogue {
  readonly #reader: Reader;
  readonly #world: World;
  readonly #masks: FilterMasks;
  readonly #key = new TextKey();

  constructor(reader: Reader, world: World, masks: FilterMasks) {
    this.#reader = reader;
    this.#world = world;
    this.#masks = masks;
  }

  /** Undefined for one that is not known, or deleted. */
  findItem(id: string): Known | undefined {
    const { items, itemFeatures, interactions } = this.#world;
    return this.#find(id, items, itemFeatures, interactions.byItem);
  }

  findUser(id: string): Known | undefined {
    const { users, userFeatures, interactions } = this.#world;
    return this.#find(id, users, userFeatures, interactions.byUser);
  }

  /** How many rows and messages a user has: 1 or 0. */
  knowsOf(userId: string): { readonly ids: number; readonly features: number } {
    const { users, userFeatures } = this.#world;
    return this.#reader.run(() => {
      const row = this.#key.set(userId) ? users.find(this.#key) : -1;
      return { ids: row < 0 ? 0 : 1, features: row >= 0 && userFeatures.block(row) !== 0 ? 1 : 0 };
    });
  }

  /** Users that are known: rows 0 .. userCount - 1, but for those who were forgotten. */
  get userCount(): number {
    return this.#world.users.rows;
  }

  /** "" of a row that is nobody's. */
  userId(row: number): string {
    return this.#reader.run(() => this.#world.users.text(row));
  }

  /** At most `size` items in the order in which they became known, those after row `after`; fewer when they are large. */
  page(filter: Expression | undefined, after: number, size: number): KnownPage {
    return this.#reader.run(() => {
      const { items, itemFeatures, interactions } = this.#world;
      const { rows } = items;
      const words = filter && this.#masks.evaluate(filter, rows).words;
      const page: Known[] = [];
      let bytes = 0;
      for (let row = after + 1; row < rows; row++) {
        if (itemFeatures.isDeleted(row) || (words && ((words[row >>> 5] >>> (row & 31)) & 1) === 0)) continue;
        const known = describe(row, items, itemFeatures, interactions.byItem);
        bytes += known.message?.length ?? 0;
        // One more than fits says that there is a next page.
        if (page.length === size || bytes > PAGE_BYTES_MAX) return { items: page, last: after };
        page.push(known);
        after = row;
      }
      return { items: page, last: undefined };
    });
  }

  #find(id: string, ids: Ids, features: Features, ratings: Lists): Known | undefined {
    return this.#reader.run(() => {
      const row = this.#key.set(id) ? ids.find(this.#key) : -1;
      return row < 0 || features.isDeleted(row) ? undefined : describe(row, ids, features, ratings);
    });
  }
}

function describe(row: number, ids: Ids, features: Features, ratings: Lists): Known {
  return { id: ids.text(row), message: features.message(row), ratings: ratings.count(row) };
}
