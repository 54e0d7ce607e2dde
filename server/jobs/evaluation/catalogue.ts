import { termCountOf, termsOf } from '../../memory/features/feature-blocks.ts';
import type { World } from '../../memory/world.ts';

/** The parts of a catalogue by popularity, by their place here. */
export const PARTS = ['head', 'middle', 'tail'] as const;
const [HEAD, MIDDLE, TAIL] = PARTS.keys();
/** What the catalogue says of what an item is. */
const FIELDS = ['categories', 'labels'];

/** What the part that was learned says of items, by row: what lists are measured by, the same for every model. */
export interface ItemFacts {
  /** How many items there are. */
  readonly items: number;
  /** By observation: the row of its item; below 0 where nothing that was learned names it. */
  readonly heldOut: Int32Array;
  /**
   * In bits: -log2 of the share of users who rated it (Zhou et al. 2010). What nobody rated counts as rated by one.
   */
  readonly selfInformation: Float64Array;
  /**
   * One of `PARTS` (Abdollahpouri et al. 2021): the items in falling order of their ratings, the one that was known first
   * first; those that begin within the first fifth of all ratings are the head, those within the last one the tail.
   */
  readonly part: Uint8Array;
  /** Whether anything is said of what any item is. */
  readonly isDescribed: boolean;
  /**
   * How alike two items are: the cosine of their sets of categories and labels (Salton & McGill 1983), 0 to 1. An item of
   * which nothing is said is like no other.
   */
  likeness(a: number, b: number): number;
}

/** Those of a world, read when it is made; what items are is read as it is asked for. */
export class Catalogue implements ItemFacts {
  readonly items: number;
  readonly heldOut: Int32Array;
  readonly selfInformation: Float64Array;
  readonly part: Uint8Array;
  readonly #terms = new Map<number, Uint32Array>();
  readonly #world: World;
  readonly #fields: ReadonlySet<number>;

  constructor(world: World, heldOut: Int32Array) {
    const { byUser, byItem } = world.interactions;
    this.items = world.items.rows;
    this.heldOut = heldOut;
    const ratings = Uint32Array.from({ length: this.items }, (_, row) => byItem.count(row));
    let users = 0;
    for (let row = 0; row < world.users.rows; row++) if (byUser.count(row) > 0) users++;
    this.selfInformation = Float64Array.from(ratings, (count) => Math.log2(Math.max(users, 1) / Math.max(count, 1)));
    this.part = partsOf(ratings);
    this.#world = world;
    const { terms } = world.itemFeatures;
    this.#fields = new Set(FIELDS.map((path) => terms.findField(path)).filter((field) => field >= 0));
  }

  get isDescribed(): boolean {
    return this.#fields.size > 0;
  }

  likeness(a: number, b: number): number {
    const [one, other] = [this.#termsOf(a), this.#termsOf(b)];
    if (one.length === 0 || other.length === 0) return 0;
    let shared = 0;
    for (const term of one) if (other.includes(term)) shared++;
    return shared / Math.sqrt(one.length * other.length);
  }

  #termsOf(row: number): Uint32Array {
    const known = this.#terms.get(row);
    if (known) return known;
    const { itemFeatures, arena } = this.#world;
    const block = itemFeatures.block(row);
    const from = termsOf(arena.u32, block);
    const all = arena.u32.slice(from, from + termCountOf(arena.u32, block));
    const own = all.filter((term) => this.#fields.has(itemFeatures.terms.fieldOf(term)));
    this.#terms.set(row, own);
    return own;
  }
}

function partsOf(ratings: Uint32Array): Uint8Array {
  const total = ratings.reduce((sum, count) => sum + count, 0);
  const order = Uint32Array.from(ratings.keys()).sort((a, b) => ratings[b] - ratings[a] || a - b);
  const part = new Uint8Array(ratings.length).fill(MIDDLE);
  let before = 0;
  for (const row of order) {
    if (5 * before < total) part[row] = HEAD;
    else if (5 * before >= 4 * total) part[row] = TAIL;
    before += ratings[row];
  }
  return part;
}
