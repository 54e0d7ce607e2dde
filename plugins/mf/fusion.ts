import {
  COUNT,
  COVARIANCE,
  type Column,
  type ColumnSpecs,
  driftItem,
  driftTable,
  driftUser,
  type Fusion,
  factors,
  firstBy,
  gaussian,
  type Meaning,
  meanBy,
  meaningsOf,
  OWN,
  type SettleContext,
  SUM,
  type WritableAddress,
} from '../contract/index.ts';
import type { MfConfig } from './config.ts';
import { detectorOf } from './drift.ts';
import { driftRow } from './drift-columns.ts';
import type { MfKernels } from './kernels.ts';
import { forgetSteps, shorten, stateColumns } from './optimiser.ts';
import { standing } from './standing.ts';
import type { MfTables } from './tables.ts';

type Meanings = Readonly<Record<string, Meaning>>;
type Context = SettleContext<MfConfig, MfTables, MfKernels>;

/**
 * What is fused: vectors, as factors of the space `taste`, and P, Y and Q of sequences, as those of `sequence`; the plain
 * base by means of biases; the Bayesian one by x, y, G, f and d with their covariances, and by means of what it knows of features.
 * Where a user stands, and the optimiser's sizes of steps, come from whoever knows the row.
 */
export function fusion(config: MfConfig): Fusion<Context> {
  const { base, mean, bias, ranking } = config;
  const bayes = base === 'bayes';
  return {
    columns: {
      ...meaningsOf('users', { ...sideMeanings(config, 'users', 'left'), ...(bayes ? USER : plain('users')) }),
      ...meaningsOf('items', {
        ...sideMeanings(config, 'items', 'right'),
        ...(bayes ? ITEM : plain('items')),
        ...(config.k === 0 ? { rank: OWN } : { rank: OWN, likeness: OWN }),
      }),
      ...meaningsOf('model', { sum: SUM, weight: SUM, ...(bayes && MODEL) }),
      ...(ranking === 'sequence' && SEQUENCE),
      ...(config.drift.enabled && DRIFT),
      ...(config.drift.enabled && bayes && MOVES),
    },
    alike: bayes ? { base } : { base, mean, 'bias.enabled': bias.enabled },
    settle,
  };
}

function sideMeanings(config: MfConfig, table: 'users' | 'items', side: 'left' | 'right'): Meanings {
  const weight = `${table}.ratings`;
  if (config.k === 0) return { ratings: COUNT };
  const steps = Object.keys(stateColumns(config)).map((column) => [column, firstBy(weight)]);
  return { vector: factors('taste', side, weight), ...Object.fromEntries(steps), ratings: COUNT };
}

/** Columns that stay as they are. */
function own(columns: ColumnSpecs): Meanings {
  return Object.fromEntries(Object.keys(columns).map((name) => [name, OWN]));
}

const plain = (table: 'users' | 'items'): Meanings => ({ bias: meanBy(`${table}.ratings`) });

const ofUser = firstBy('users.ratings');
const USER: Meanings = {
  coefficients: gaussian('users.covariance'),
  covariance: COVARIANCE,
  missed: meanBy('users.ratings'),
  lately: ofUser,
  ratedAt: ofUser,
  place: ofUser,
};

const ofItem = firstBy('items.ratings');
const ITEM: Meanings = {
  bias: gaussian('items.biasVariance'),
  biasVariance: COVARIANCE,
  effect: meanBy('items.ratings'),
  first: ofItem,
};

const MODEL: Meanings = {
  means: meanBy('model.events'),
  variances: meanBy('model.events'),
  events: COUNT,
  slopes: gaussian('model.slopeCovariance'),
  slopeCovariance: COVARIANCE,
};

/** The items that negatives are drawn from are those that were rated here. */
const SEQUENCE: Meanings = {
  ...meaningsOf('tastes', { taste: factors('sequence', 'left', 'users.ratings'), squares: ofUser }),
  ...meaningsOf('sequence', {
    next: factors('sequence', 'right', 'items.ratings'),
    trace: factors('sequence', 'left', 'items.ratings'),
    bias: meanBy('items.ratings'),
    nextSquares: ofItem,
    traceSquares: ofItem,
  }),
  ...meaningsOf('rated', { item: OWN, isListed: OWN }),
  ...meaningsOf('counters', { rated: OWN }),
};

/** Errors are those of the model that was; what its rows know of drift stays. */
const DRIFT: Meanings = {
  ...meaningsOf('users', own({ ...driftRow, ...driftUser })),
  ...meaningsOf('items', own({ ...driftRow, ...driftItem })),
  ...meaningsOf('drift', own(driftTable.columns)),
};

/** A bias that does not have what its item moved by is of no use without it. */
const MOVES: Meanings = {
  ...meaningsOf('users', { follow: gaussian('users.followVariance'), followVariance: COVARIANCE }),
  ...meaningsOf('items', { move: gaussian('items.moveVariance'), moveVariance: COVARIANCE }),
};

/** Sums of vectors may leave the ball. */
function settle(context: Context): void {
  const { config, memory, kernels, tables, users, items } = context;
  const { rank, place } = standing(context);
  const shortenAll = (vectorOf: Column<WritableAddress>, rows: number, k: number) => {
    for (let row = 0; row < rows; row++) shorten(vectorOf(row), k, kernels, memory);
  };
  if (config.k > 0) {
    shortenAll(tables.users.column('vector'), users, config.k);
    shortenAll(tables.items.column('vector'), items, config.k);
  }
  if (config.ranking === 'sequence') {
    const { k } = config.sequence;
    shortenAll(tables.tastes.column('taste'), users, k);
    shortenAll(tables.sequence.column('next'), items, k);
    shortenAll(tables.sequence.column('trace'), items, k);
  }
  for (let item = 0; item < items; item++) {
    rank(item);
    place(item);
  }
  detectorOf(context)?.restart();
  forgetSteps(config, memory, tables.users, users);
  forgetSteps(config, memory, tables.items, items);
}
