import type { Aim, SearchSpace } from '../contract/index.ts';
import type { StackConfig } from './config.ts';

/** Settings of `stack` that are worth a search. */
export function tuning(_config: StackConfig, aim: Aim): SearchSpace {
  if (aim === 'rating') return { 'rating.forgetting': [0.998, 0.999, 0.9995, 0.9998, 0.9999, 0.99995, 1] };
  return { 'ranking.rate': { min: 0.0005, max: 0.02, log: true }, 'ranking.negatives': [4, 8, 16, 32] };
}
