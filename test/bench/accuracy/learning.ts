import {
  type DeepPartial,
  type FuseRequest,
  FuseStrategy,
  fuseStrategyToJSON,
} from '../../../proto/gen/accrete/v1/fuse.ts';
import type { Ratings } from '../../data.ts';
import type { Client } from '../../support/client.ts';
import type { ServerProcess } from '../../support/server-process.ts';
import { encodeRatings, rateAll } from '../rating-stream.ts';
import type { Report } from '../report.ts';

/** What is done to a server before it is asked. */

const BATCH = 1000;
const IN_FLIGHT = 8;
/** Ratings that a guard judges by. */
export const WINDOW = 1000;
/** A guard lets everything by: what a strategy is worth is to be seen. */
const OPEN = { metric: 'rmse', margin: 1, windowEvents: WINDOW };
/** The same, for models that predict no ratings. */
export const BY_RANKING = { ...OPEN, metric: 'hit_rate@10' };

export async function learn({ client }: ServerProcess, ratings: Ratings, onLearned?: (count: number) => void) {
  let learned = 0;
  await rateAll(client, encodeRatings(ratings, { batch: BATCH }), IN_FLIGHT, () => {
    learned = Math.min(ratings.count, learned + BATCH);
    onLearned?.(learned);
  });
}

/** Makes a version of a model that answers from then on; in seconds. Undefined, with a note, where the server makes none. */
export async function fuse(
  report: Report,
  client: Client,
  request: DeepPartial<FuseRequest> & { readonly model: string },
): Promise<number | undefined> {
  const startMs = performance.now();
  const strategy = fuseStrategyToJSON(request.strategy ?? FuseStrategy.FUSE_STRATEGY_REFIT);
  const what = `${strategy.replace('FUSE_STRATEGY_', '')} of ${request.model}`;
  try {
    const { result } = await client.fuse({ guard: OPEN, ...request });
    if (!result.promoted) report.note(`${what} was not promoted: ${result.decision?.reason}`);
    return (performance.now() - startMs) / 1000;
  } catch (error) {
    report.note(`${what}: ${error instanceof Error ? error.message : error}`);
    return undefined;
  }
}
