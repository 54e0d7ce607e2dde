import { RecommendRequest } from '../../proto/gen/accrete/v1/recommender.ts';
import type { Ratings } from '../data.ts';
import { randomNumbers } from '../support/ratings.ts';

/** Requests for users drawn at random, encoded; all with these fields. */
export function recommendRequests(
  { user }: Ratings,
  count: number,
  { seed = 1, ...more }: { readonly seed?: number } & Partial<RecommendRequest> = {},
): Uint8Array[] {
  const draw = randomNumbers(seed);
  const users = [...new Set(user)];
  return Array.from({ length: count }, () => {
    const value = String(users[Math.floor(draw() * users.length)]);
    const request = RecommendRequest.fromPartial({ ...more, subject: { $case: 'userId', value } });
    return RecommendRequest.encode(request).finish();
  });
}
