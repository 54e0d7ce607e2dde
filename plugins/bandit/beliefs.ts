import {
  type Address,
  eachRun,
  NO_ROW,
  type Query,
  type ReadTables,
  type ScoreContext,
  type WritableAddress,
} from '../contract/index.ts';
import type { BanditConfig } from './config.ts';
import { Earnings } from './earnings.ts';
import { type BanditKernels, NOWHERE, tasteBytes } from './kernels.ts';
import type { BanditTables, LinearTables } from './tables.ts';

type Context = ScoreContext<BanditConfig, BanditTables, BanditKernels>;
/** The items that are asked for, and where their scores go: `spans`, `spanCount` and `out` of the contract. */
export type Asked = [spans: Uint32Array, spanCount: number, out: WritableAddress];

/** What is believed of the scores of items, for whom was asked last. */
export interface Beliefs {
  of(query: Query): void;
  /** Scores items by mean + alpha (quantile z - mean), z as of a standard normal number. */
  score(z: number, alpha: number, asked: Asked): void;
  /** The same at each of `z`, item after item. */
  quantiles(items: Uint32Array, z: Float64Array, alpha: number, out: Float64Array): void;
}

export function beliefsOf(context: Context): Beliefs {
  const { tables } = context;
  return 'users' in tables ? beliefsByTaste(context, tables) : beliefsByItem(context);
}

function beliefsByItem({ config, tables, memory, kernels }: Context): Beliefs {
  const { prior } = config;
  const { items } = tables;
  const shown = items.column('shown');
  const earned = items.column('earned');
  const earnings = new Earnings(config, tables, memory);
  return {
    of() {},
    score(z, alpha, asked) {
      const { rate } = earnings;
      eachStretch(items, asked, (row, count, out) =>
        kernels.scoresByItem(shown(row), earned(row), items.stride, count, prior, rate, z, alpha, out),
      );
    },
    quantiles(asked, z, alpha, out) {
      const { rate } = earnings;
      let at = 0;
      for (const item of asked) {
        const { mean } = earnings.look(item, rate);
        for (let n = 0; n < z.length; n++) out[at++] = mean + alpha * (earnings.quantile(z[n]) - mean);
      }
    },
  };
}

function beliefsByTaste(
  { config, tables, memory, kernels, scratch }: Context,
  { items, users }: ReadTables<LinearTables>,
): Beliefs {
  const { prior, ridge, width } = config;
  const { f64: doubles } = memory;
  const [vector, shown, earned] = (['vector', 'shown', 'earned'] as const).map((name) => items.column(name));
  const weights = users.column('weights');
  const inverse = users.column('inverse');
  const earnings = new Earnings(config, tables, memory);
  const taste = scratch(tasteBytes(width));
  const found = scratch(16);
  return {
    of({ user }) {
      // It is 0 until something was learned of the user.
      const isKnown = user !== NO_ROW && doubles[inverse(user) >>> 3] > 0;
      kernels.ask(isKnown ? weights(user) : NOWHERE, isKnown ? inverse(user) : NOWHERE, ridge, width, taste);
    },
    score(z, alpha, asked) {
      const { rate } = earnings;
      const reach = alpha * z;
      eachStretch(items, asked, (row, count, out) => {
        const at: [Address, Address, Address] = [vector(row), shown(row), earned(row)];
        kernels.scoresByTaste(...at, items.stride, count, width, taste, prior, rate, reach, out);
      });
    },
    quantiles(asked, z, alpha, out) {
      const { rate } = earnings;
      let at = 0;
      for (const item of asked) {
        kernels.believe(vector(item), shown(item), earned(item), width, taste, prior, rate, found);
        const mean = doubles[found >>> 3];
        const deviation = doubles[(found >>> 3) + 1];
        for (let n = 0; n < z.length; n++) out[at++] = mean + alpha * (z[n] * deviation);
      }
    },
  };
}

/** Visits the rows that are asked for in stretches that are contiguous, each with where its scores go. */
function eachStretch(
  items: { readonly segmentRows: number },
  [spans, spanCount, out]: Asked,
  visit: (row: number, count: number, out: WritableAddress) => void,
): void {
  let at = out;
  for (let span = 0; span < spanCount; span++) {
    eachRun(items, spans[2 * span], spans[2 * span + 1], (row, count) => {
      visit(row, count, at);
      at = (at + 4 * count) as WritableAddress;
    });
  }
}
