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
  /** By model, then by metric: the server's counters over all ratings that it was ever sent. */
  readonly counted: ReadonlyMap<string, Readonly<Record<string, number>>>;
  /** By model: from the predictions that came with the answers. */
  readonly recomputed: ReadonlyMap<string, Errors>;
  /** By model: the squared errors of these, rating by rating. */
  readonly squared: ReadonlyMap<string, Float64Array>;
}

const BATCH = 1000;
const IN_FLIGHT = 8;
/** The server adds errors in another order than the client at most. */
export const AGREEMENT = 1e-6;

/** Sends `ratings`; `predicting` are the models that predict. What is counted goes back to the server's first rating. */
export async function rateAndMeasure(
  client: Client,
  ratings: Ratings,
  predicting: readonly string[],
  onLearned: (count: number) => void = () => {},
): Promise<Prequential> {
  const squared = new Map(predicting.map((model) => [model, new Float64Array(ratings.count)]));
  const counts = new Map(predicting.map((model) => [model, 0]));
  const onAnswer = ({ predictions }: RateStreamResponse) => {
    for (const { model, values } of predictions) {
      const [errors, from] = [squared.get(model), counts.get(model)];
      if (!errors || from === undefined) throw new Error(`there are predictions of ${model}, which were not asked for`);
      for (const [n, value] of values.entries()) errors[from + n] = (ratings.value[from + n] - value) ** 2;
      counts.set(model, from + values.length);
    }
    onLearned(Math.min(...counts.values()));
  };
  const requests = encodeRatings(ratings, { batch: BATCH, returnPredictions: predicting });
  await rateAll(client, requests, IN_FLIGHT, onAnswer);
  const counted = new Map<string, Record<string, number>>();
  for (const { model, metric, value, window } of (await client.evaluate()).rows) {
    if (window === 'total') counted.set(model, { ...counted.get(model), [metric]: value });
  }
  const recomputed = new Map([...squared].map(([model, errors]) => [model, errorsOf(errors, counts.get(model))]));
  return { counted, recomputed, squared };
}

/** NaN where not every rating came with a prediction. */
function errorsOf(squared: Float64Array, count: number | undefined): Errors {
  const mean = (of: (error: number) => number) =>
    count === squared.length ? squared.reduce((sum, error) => sum + of(error), 0) / count : Number.NaN;
  return { rmse: Math.sqrt(mean((error) => error)), mae: mean(Math.sqrt) };
}

/** By how much the server's counters differ from what the client recomputed, at most. */
export function disagreement({ counted, recomputed }: Prequential): number {
  const differences = [...recomputed].flatMap(([model, { rmse, mae }]) => {
    const { rmse: countedRmse, mae: countedMae } = counted.get(model) ?? {};
    return [Math.abs(rmse - countedRmse), Math.abs(mae - countedMae)];
  });
  return differences.some(Number.isNaN) ? Number.NaN : Math.max(...differences);
}
