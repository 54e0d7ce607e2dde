import { type Exploration, type Query, Random } from '../../../plugins/contract/index.ts';
import { drawGreedily } from './epsilon-greedy.ts';
import type { Drawn, Field } from './field.ts';
import { drawByPosterior } from './posterior.ts';

/** Lists that are drawn: which items, and how likely each was to get its place. */

/** How a list is drawn. */
export interface Lottery {
  readonly exploration: Exploration;
  /** For whom. */
  readonly query: Query;
  /** Keyed by the recommendation that is drawn. */
  readonly random: Random;
}

/** Longer lists are not drawn: to say how likely their places are would take too long. */
export const PLACES_MAX = 100;

/** The same list for the same recommendation, whatever was drawn before. */
export function lotteryOf(exploration: Exploration, query: Query, seed: number, recommendationId: string): Lottery {
  return { exploration, query, random: randomFor(seed, recommendationId) };
}

/** Draws of one recommendation. */
export function randomFor(seed: number, recommendationId: string): Random {
  const random = new Random();
  random.key(seed, digest(recommendationId));
  return random;
}

/** At most `count` items, in the order of their places. */
export function draw({ exploration, query, random }: Lottery, field: Field, count: number): Drawn[] {
  if (exploration.by === 'epsilon') return drawGreedily(exploration.epsilon, random, field, count);
  return drawByPosterior((...asked) => exploration.quantiles(query, ...asked), random, field, count);
}

/** 53 bits of a text: FNV-1a (32 bit) from two beginnings. */
function digest(text: string): number {
  let low = 0x811c_9dc5;
  let high = 0x1234_5679;
  for (let n = 0; n < text.length; n++) {
    const code = text.charCodeAt(n);
    low = Math.imul(low ^ code, 0x0100_0193);
    high = Math.imul(high ^ code, 0x0100_0193) ^ (low >>> 15);
  }
  return (high >>> 11) * 2 ** 32 + (low >>> 0);
}
