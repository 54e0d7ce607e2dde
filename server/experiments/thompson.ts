import type { Estimate } from './statistics/boundary.ts';
import type { Metric } from './statistics/metric.ts';

/**
 * Thompson sampling over arms (Thompson 1933): each arm's share is the chance that it is the best one, by draws from a normal
 * posterior around its figure, and `floor` of all at least. Until every arm has a figure all have the same share.
 */

const DRAWS = 2000;

/** `random`: numbers from 0 up to 1. Shares sum to 1; an arm that was stopped has no estimate (null), and no share. */
export function thompsonShares(
  arms: readonly (Estimate | undefined | null)[],
  { better }: Pick<Metric, 'better'>,
  floor: number,
  random: () => number = Math.random,
): number[] {
  const open = arms.filter((arm) => arm !== null).length;
  const least = Math.min(floor, 1 / open);
  if (arms.some((arm) => arm === undefined)) return arms.map((arm) => (arm === null ? 0 : 1 / open));
  const wins = arms.map(() => 0);
  const sign = better === 'higher' ? 1 : -1;
  for (let draw = 0; draw < DRAWS; draw++) {
    let best = -1;
    let most = Number.NEGATIVE_INFINITY;
    for (const [n, arm] of arms.entries()) {
      if (!arm) continue;
      const value = sign * (arm.value + Math.sqrt(arm.variance) * normal(random));
      if (value > most) [best, most] = [n, value];
    }
    wins[best]++;
  }
  return arms.map((arm, n) => (arm === null ? 0 : least + (1 - open * least) * (wins[n] / DRAWS)));
}

/** Box and Muller 1958. */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
