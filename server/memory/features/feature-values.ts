/** What callers tell of an item or a user, as the memory takes it: the message itself, and what can be asked of it. */

export type AttributeValue = string | number | boolean | readonly (string | number)[];

export interface FeatureValues {
  /** The message that says all of this, encoded; it is given back as it is. */
  readonly message: Uint8Array;
  readonly categories: readonly string[];
  readonly labels: readonly string[];
  readonly attributes: ReadonlyMap<string, AttributeValue>;
  /** The length of each embedding, by name. All of one name have the same: see `Features.embeddingLength`. */
  readonly embeddings: ReadonlyMap<string, number>;
  readonly available: boolean;
  /** It may be recommended from this time on, in seconds since 1970; 0: at once. */
  readonly fromSeconds: number;
  /** It may be recommended before this time; Infinity: for ever. */
  readonly untilSeconds: number;
}

/** At most how many terms and numbers the index of a message has, and how many names of embeddings. */
export function countValues({ categories, labels, attributes, embeddings }: FeatureValues): number {
  let count = categories.length + labels.length + embeddings.size + FIELDS_BESIDE_ATTRIBUTES;
  for (const value of attributes.values()) count += 1 + (isList(value) ? value.length : 1);
  return count;
}

export function isList(value: AttributeValue): value is readonly (string | number)[] {
  return typeof value === 'object';
}

/** `categories` and `labels`. */
const FIELDS_BESIDE_ATTRIBUTES = 2;
