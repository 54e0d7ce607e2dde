/** What kinds of events mean: how much they weigh, and whether they hide items. It is no state, but what is in force now. */

/** Kinds that may be configured. */
export const KINDS_MAX = 64;

export interface KindMeaning {
  /** Multiplies the weight of its events: 0..10. */
  readonly weight: number;
  /** Whether an item is left out of the recommendations of a user who has an event of this kind with it. */
  readonly hides: boolean;
  /** Whether its events say no more than that the user was shown the item; in older journals nothing. */
  readonly exposure?: boolean;
  /** Whether the server itself says so of what exploring models showed: see `AnswerEvents`. */
  readonly answers?: boolean | undefined;
}

/** Of a kind that is not configured, or no longer: its events in the journal are learned all the same. */
export const UNCONFIGURED: KindMeaning = { weight: 1, hides: false };

/** Who knows what kinds are called. */
interface KindNames {
  kindName(kind: number): string;
}

export class Kinds {
  readonly #names: KindNames;
  #meanings: ReadonlyMap<string, KindMeaning> = new Map();
  /** By number, as far as they were asked for. */
  readonly #known: KindMeaning[] = [];
  #hiding = false;

  constructor(names: KindNames) {
    this.#names = names;
  }

  /** From here on these meanings are in force, and no others. */
  configure(meanings: Readonly<Record<string, KindMeaning>>): void {
    this.#meanings = new Map(Object.entries(meanings));
    this.#known.length = 0;
    this.#hiding = [...this.#meanings.values()].some(({ hides }) => hides);
  }

  /** What is in force, by name. */
  get meanings(): Readonly<Record<string, KindMeaning>> {
    return Object.fromEntries(this.#meanings);
  }

  /** Whether any kind hides items. */
  get hiding(): boolean {
    return this.#hiding;
  }

  /** What the kind with this number means. One without a name is that of a row which is being freed at this moment. */
  of(kind: number): KindMeaning {
    const known = this.#known[kind];
    if (known) return known;
    const name = this.#names.kindName(kind);
    const meaning = this.#meanings.get(name) ?? UNCONFIGURED;
    if (name !== '') this.#known[kind] = meaning;
    return meaning;
  }
}
