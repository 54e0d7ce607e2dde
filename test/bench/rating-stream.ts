import {
  RateStreamRequest,
  type RateStreamResponse,
  RecommenderServiceService,
} from '../../proto/gen/accrete/v1/recommender.ts';
import type { Ratings } from '../data.ts';
import { type Client, withBytes } from '../support/client.ts';
import { batchesOf } from '../support/ratings.ts';

/** Ratings through RateStream with little work for the client: messages encoded beforehand, several under way. */

export interface Encoding {
  /** Ratings in a message. */
  readonly batch: number;
  /** Models whose predictions are asked for. */
  readonly returnPredictions?: readonly string[];
  /** Put before every id: the same ratings, of other users for other items. */
  readonly prefix?: string;
}

/** All ratings as requests, encoded. */
export function encodeRatings(data: Ratings, { batch, returnPredictions = [], prefix = '' }: Encoding): Buffer[] {
  return Array.from(batchesOf(data, 0, data.count, batch), (batchRatings) => {
    const ratings = batchRatings.map((rating) => ({
      ...rating,
      userId: prefix + rating.userId,
      itemId: prefix + rating.itemId,
    }));
    const request = RateStreamRequest.fromPartial({ ratings, returnPredictions: [...returnPredictions] });
    return Buffer.from(RateStreamRequest.encode(request).finish());
  });
}

/** Sends encoded requests over one stream, `inFlight` at a time; every answer goes to `onAnswer`, in order. */
export async function rateAll(
  client: Client,
  requests: readonly Buffer[],
  inFlight: number,
  onAnswer: (answer: RateStreamResponse) => void = () => {},
): Promise<void> {
  const stream = client.open(withBytes(RecommenderServiceService.rateStream));
  let sent = 0;
  for (let answered = 0; answered < requests.length; answered++) {
    while (sent < requests.length && sent - answered < inFlight) stream.send(requests[sent++]);
    const answer = await stream.next();
    if (!answer) throw new Error(`the stream ended after ${answered} of ${requests.length} answers`);
    if (answer.error) throw new Error(`request ${answered} was refused: ${answer.error.message}`);
    onAnswer(answer);
  }
  await stream.finish();
}
