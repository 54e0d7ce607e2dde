import type { RateStreamResponse } from '../../proto/gen/accrete/v1/recommender.ts';
import type { Ratings } from '../data.ts';
import type { Client } from '../support/client.ts';
import { encodeRatings, rateAll } from './rating-stream.ts';

/** A stream of ratings through a server, and how well each was predicted: by the server's word, and recomputed. */

export interface Errors {
  readonly rmse: number;
  readonly mae: number;
}

export interface Prequential {
  /** By model, then by metric: the server's counters over all ratings. */
  readonly counted: ReadonlyMap<string, Readonly<Record<string, number>>>;
  /** By model: from the predictions that came with the answers. */
  readonly recomputed: ReadonlyMap<string, Errors>;
}

const BATCH = 1000;
const IN_FLIGHT = 8;

/** Sends `ratings`, which must be the server's first; `predicting` are the models that predict. */
export async function rateAndMeasure(
  client: Client,
  ratings: Ratings,
  predicting: readonly string[],
): Promise<Prequential> {
  const sums = new Map(predicting.map((model) => [model, { squared: 0, absolute: 0, count: 0 }]));
  const onAnswer = ({ predictions }: RateStreamResponse) => {
    for (const { model, values } of predictions) {
      const sum = sums.get(model);
      if (!sum) throw new Error(`there are predictions of ${model}, which were not asked for`);
      for (const value of values) {
        const error = ratings.value[sum.count++] - value;
        sum.squared += error * error;
        sum.absolute += Math.abs(error);
      }
    }
  };
  const requests = encodeRatings(ratings, { batch: BATCH, returnPredictions: predicting });
  await rateAll(client, requests, IN_FLIGHT, onAnswer);
  const counted = new Map<string, Record<string, number>>();
  for (const { model, metric, value, window } of (await client.evaluate()).rows) {
    if (window === 'total') counted.set(model, { ...counted.get(model), [metric]: value });
  }
  const errorsOf = ({ squared, absolute, count }: { squared: number; absolute: number; count: number }) => ({
    rmse: Math.sqrt(squared / count),
    mae: absolute / count,
  });
  return { counted, recomputed: new Map([...sums].map(([model, sum]) => [model, errorsOf(sum)])) };
}

/** By how much the server's counters differ from what the client recomputed, at most. */
export function disagreement({ counted, recomputed }: Prequential): number {
  const differences = [...recomputed].flatMap(([model, { rmse, mae }]) => {
    const { rmse: countedRmse, mae: countedMae } = counted.get(model) ?? {};
    return [Math.abs(rmse - countedRmse), Math.abs(mae - countedMae)];
  });
  return differences.some(Number.isNaN) ? Number.NaN : Math.max(...differences);
}
