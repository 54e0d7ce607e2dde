import type { Aim, SearchSpace } from '../contract/index.ts';
import type { Config } from './tables.ts';

/** Settings of `user-cf` that are worth a search. */
export function tuning(_config: Config, aim: Aim): SearchSpace {
  if (aim === 'ranking') return { raters: [24, 48, 96], recent: [5, 10, 20, 40] };
  return {
    raters: [24, 48, 96],
    doubt: { min: 4, max: 80, log: true },
    prior: { min: 0.5, max: 8, log: true },
  };
}
