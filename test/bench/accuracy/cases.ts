import { configSchema as stackSchema } from '../../../plugins/stack/config.ts';
import type { ConfigInput } from '../../../server/config/schema.ts';
import { choose, type Found, find1mHalf, find100k, findMovieLensSmall, type Ratings } from '../../data.ts';
import { SHIPPED } from '../server.ts';
import type { Sheet } from './sheet.ts';

/** What is measured: the same models with the same settings on every data set. */

export interface Scale {
  readonly min: number;
  readonly max: number;
}

export interface DataSet {
  readonly set: string;
  readonly scale: Scale;
  find(): Found;
}

export const ML_100K: DataSet = { set: 'ml-100k', scale: { min: 1, max: 5 }, find: () => find100k() };
export const ML_SMALL: DataSet = { set: 'ml-latest-small', scale: { min: 0.5, max: 5 }, find: findMovieLensSmall };
export const ML_1M: DataSet = { set: 'ml-1m-half', scale: { min: 1, max: 5 }, find: find1mHalf };

export const SETS = [ML_100K, ML_SMALL, ML_1M];

/** What a part is given. */
export interface Bench {
  readonly sheet: Sheet;
  /** What it is restricted to. */
  readonly sets: readonly DataSet[];
  /** So many first ratings alone, of the set that is always there; undefined: everything. */
  readonly first?: number;
  /** Says what is done of the part, 0 to 1. */
  readonly advance: (share: number) => void;
}

/** The sets that a part runs on, those that are missing left out and noted. */
export function* setsOf(
  { sheet, sets, first }: Pick<Bench, 'sheet' | 'sets' | 'first'>,
  wanted: readonly DataSet[],
): Generator<DataSet & { ratings: Ratings }> {
  for (const each of first === undefined ? wanted.filter((one) => sets.includes(one)) : [ML_SMALL]) {
    const { skip, ratings } = each.find();
    if (ratings) yield { ...each, ratings: choose(ratings, (place) => place < (first ?? ratings.count)) };
    else sheet.report.note(String(skip));
  }
}

/** `stack` by its other output, which has the smallest absolute error. */
export const MEDIAN = 'stack-median';
/** `mf` over plain biases: the textbook form. */
export const PLAIN = 'mf-plain';

const stack = stackSchema.parse({});

/** Those of a fresh server, and what is there to be asked for. */
export const MODELS = [
  ...SHIPPED,
  { name: MEDIAN, plugin: 'stack', config: { rating: { ...stack.rating, output: 'median' } } },
  { name: PLAIN, plugin: 'mf', config: { base: 'biases', ranking: 'taste' } },
  { name: 'user-cf', plugin: 'user-cf', config: {} },
  { name: 'ncf', plugin: 'ncf', config: {} },
];
export const PREDICTING = MODELS.map(({ name }) => name).filter((name) => name !== 'popularity');

export function configOf(scale: Scale, more: ConfigInput = {}): ConfigInput {
  return { models: MODELS, rating: scale, evaluation: { rankEvery: 0 }, ...more };
}
