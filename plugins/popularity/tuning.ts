import type { Aim, SearchSpace } from '../contract/index.ts';
import type { PopularityConfig } from './config.ts';

/** Settings of `popularity` that are worth a search. */
export function tuning(_config: PopularityConfig, aim: Aim): SearchSpace {
  return aim === 'ranking' ? { halfLifeDays: { min: 1, max: 1000, log: true } } : {};
}
