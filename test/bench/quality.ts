import { configSchema as configSchemaOfStack } from '../../plugins/stack/config.ts';
import type { ConfigInput } from '../../server/config/schema.ts';
import { type Found, find1mHalf, find100k, findMovieLensSmall, type Ratings } from '../data.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { rmseDifference } from './paired.ts';
import { AGREEMENT, disagreement, type Prequential, rateAndMeasure } from './prequential.ts';
import type { Figure, Report, Target } from './report.ts';
import { DEFAULT_MODEL, requireConfigHash, SHIPPED, withServer } from './server.ts';

/** How well every rating is predicted and ranked before it is learned, through the wire. One setting for all sets. */

const stack = configSchemaOfStack.parse({});
/** `stack` with one input more than it has by default. */
const RICHER = 'stack-ncf';

/**
 * What a fresh server has; `mf` in its plain form and without replay; and what has to be asked for. `ncf` also with its gate
 * shut, which leaves its biases, and open; and `stack` with `ncf` as a further input.
 */
export const MODELS = [
  ...SHIPPED,
  { name: 'mf-plain', plugin: 'mf', config: { base: 'biases', ranking: 'taste' } },
  { name: 'mf-no-replay', plugin: 'mf', config: { replay: { count: 0 } } },
  { name: 'user-cf', plugin: 'user-cf', config: {} },
  { name: 'ncf', plugin: 'ncf', config: {} },
  { name: 'ncf-shut', plugin: 'ncf', config: { gate: { fixed: 0 } } },
  { name: 'ncf-open', plugin: 'ncf', config: { gate: { fixed: 1 } } },
  { name: RICHER, plugin: 'stack', config: { rating: { inputs: [...stack.rating.inputs, 'ncf'] } } },
];
export const PREDICTING = MODELS.map(({ name }) => name).filter((name) => name !== 'popularity');

interface Case {
  readonly set: string;
  readonly find: () => Found;
  readonly rating: { readonly min: number; readonly max: number };
  /** 1: every rating is ranked too; 0: none. */
  readonly rankEvery: 0 | 1;
  /** By model and metric. */
  readonly targets: Readonly<Record<string, Target>>;
}

const CASES: readonly Case[] = [
  {
    set: 'ml-100k',
    find: find100k,
    rating: { min: 1, max: 5 },
    rankEvery: 1,
    targets: {
      'stack rmse': { atMost: 0.9145 },
      'stack hit_rate@10': { atLeast: 0.213 },
      'stack ndcg@10': { atLeast: 0.11 },
      'item-cf rmse': { atMost: 0.932 },
      'mf rmse': { atMost: 0.9225 },
      'mf mae': { atMost: 0.725 },
      'mf-plain rmse': { atMost: 0.931 },
      'mf-no-replay rmse': { atMost: 0.925 },
      'ncf rmse': { atMost: 0.942 },
    },
  },
  {
    set: 'ml-latest-small',
    find: findMovieLensSmall,
    rating: { min: 0.5, max: 5 },
    rankEvery: 1,
    targets: {
      'stack rmse': { atMost: 0.8315 },
      'stack hit_rate@10': { atLeast: 0.15 },
      'stack ndcg@10': { atLeast: 0.085 },
      'item-cf rmse': { atMost: 0.853 },
      'mf rmse': { atMost: 0.84 },
      'mf-plain rmse': { atMost: 0.855 },
    },
  },
  {
    set: 'ml-1m, timed half',
    find: find1mHalf,
    rating: { min: 1, max: 5 },
    rankEvery: 0,
    targets: { 'stack rmse': { atMost: 0.876 }, 'item-cf rmse': { atMost: 0.893 }, 'mf rmse': { atMost: 0.885 } },
  },
];

export async function benchQuality(report: Report): Promise<void> {
  for (const { set, find, rating, rankEvery, targets } of CASES) {
    report.heading(`Quality on ${set}: each rating predicted, then learned`);
    const { skip, ratings } = find();
    if (!ratings) report.note(String(skip));
    else {
      await withServer(qualityConfig(rating, rankEvery), async (server) => {
        const found = await rateAndMeasure(server.client, ratings, PREDICTING);
        for (const figure of await figuresOf(found, server, ratings, targets))
          report.add({ ...figure, part: `quality ${set}` });
      });
    }
  }
}

export function qualityConfig(rating: Case['rating'], rankEvery: number): ConfigInput {
  return { models: MODELS, rating, evaluation: { rankEvery } };
}

async function figuresOf(
  found: Prequential,
  server: ServerProcess,
  ratings: Ratings,
  targets: Case['targets'],
): Promise<Omit<Figure, 'part'>[]> {
  const figures: Omit<Figure, 'part'>[] = [];
  for (const { name: model } of MODELS) {
    const configHash = await requireConfigHash(server, model);
    for (const [metric, value] of Object.entries(found.counted.get(model) ?? {})) {
      const name = `${model} ${metric}`;
      figures.push({ name, value, unit: '', target: targets[name], configHash });
    }
  }
  figures.push(await further(found, server, ratings));
  const name = "the client's own figures differ by";
  return [...figures, { name, value: disagreement(found), unit: '', target: { atMost: AGREEMENT } }];
}

/** What the further input is worth: never less than nothing. */
async function further(
  { squared }: Prequential,
  server: ServerProcess,
  ratings: Ratings,
): Promise<Omit<Figure, 'part'>> {
  const [richer, plain] = [RICHER, DEFAULT_MODEL].map((model) => squared.get(model));
  if (!richer || !plain) throw new Error(`there are no predictions of ${RICHER} and ${DEFAULT_MODEL}`);
  const configHash = await requireConfigHash(server, RICHER);
  const name = `${RICHER} rmse, less that of ${DEFAULT_MODEL}`;
  return { name, ...rmseDifference(ratings, [richer, plain]), unit: '', target: { atMost: 0 }, configHash };
}
