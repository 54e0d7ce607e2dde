/** What the tables of a plugin mean when models of it are fused. Columns are named `table.column`. */

/** Rows of a space: score or rating is the product of a row on the left with one on the right, or of a sum of left ones. */
export interface FactorColumn {
  readonly as: 'factors';
  /** All columns of one space are turned together. */
  readonly space: string;
  readonly side: 'left' | 'right';
  /** The count that says how much a row of a model weighs; 0: the model does not know the row. */
  readonly weight: string;
}

/** Numbers that are averaged as they are, weighted by a count. */
export interface Mean {
  readonly as: 'mean';
  readonly weight: string;
}

/** The mean of a normal distribution, with the column of its covariance: n², or n (n + 1)/2 row by row to the diagonal. */
export interface Gaussian {
  readonly as: 'gaussian';
  /** Zeros: the model does not know the row. */
  readonly covariance: string;
}

/** What a model counts of its own ratings: exact when added up. */
export interface Sum {
  readonly as: 'sum';
  /** The column of whole numbers x where the sum is that number times 2^x; the number is then from 1 up to 2, or 0. */
  readonly exponent?: string;
}

/** A number that comes from the first model that knows the row. */
export interface First {
  readonly as: 'first';
  readonly weight: string;
}

export type Meaning =
  | FactorColumn
  | Mean
  | Gaussian
  | { readonly as: 'covariance' } // of a `Gaussian`
  | { readonly as: 'count' } // how much evidence a row has: whole numbers
  | Sum
  | { readonly as: 'exponent' } // of a `Sum`
  | First
  | { readonly as: 'own' }; // stays as it is in the model that gets the new version, unless `settle` makes it anew

/** Of every column of every table. */
export interface Fusion<Context> {
  readonly columns: Readonly<Record<string, Meaning>>;
  /** Settings without whose being equal the numbers of two models cannot be compared, by name. */
  readonly alike?: Readonly<Record<string, unknown>>;
  /** Makes anew what follows from what was fused: norms, ranks. An optimiser's memory of its last steps is void. */
  readonly settle?: (context: Context) => void;
}

export const factors = (space: string, side: FactorColumn['side'], weight: string): FactorColumn => ({
  as: 'factors',
  space,
  side,
  weight,
});
export const meanBy = (weight: string): Mean => ({ as: 'mean', weight });
export const gaussian = (covariance: string): Gaussian => ({ as: 'gaussian', covariance });
export const firstBy = (weight: string): First => ({ as: 'first', weight });
export const COVARIANCE = { as: 'covariance' } as const;
export const COUNT = { as: 'count' } as const;
export const SUM = { as: 'sum' } as const;
export const OWN = { as: 'own' } as const;

/** The columns of a table under their whole names. */
export function meaningsOf(table: string, meanings: Readonly<Record<string, Meaning>>): Record<string, Meaning> {
  return Object.fromEntries(Object.entries(meanings).map(([column, meaning]) => [`${table}.${column}`, meaning]));
}
