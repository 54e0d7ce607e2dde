import type { Aim, SearchSpace } from '../contract/index.ts';
import type { ItemCfConfig } from './config.ts';

/** Settings of `item-cf` that are worth a search. */
export function tuning(_config: ItemCfConfig, aim: Aim): SearchSpace {
  return aim === 'rating' ? RATING : RANKING;
}

const RATING: SearchSpace = {
  'neighbours.shrink': { min: 10, max: 400, log: true },
  'neighbours.doubt': { min: 0.02, max: 0.5, log: true },
  'neighbours.history': [50, 100, 200, 400],
  'bias.userFloor': { min: 0.02, max: 0.2, log: true },
  'bias.itemFloor': { min: 0.003, max: 0.05, log: true },
};

const RANKING: SearchSpace = {
  'transitions.exponent': { min: 0.2, max: 1.5 },
  'transitions.back': { min: 0, max: 1 },
  'transitions.keep': [0.9, 0.95, 0.98, 0.99, 0.995, 1],
  'transitions.recent': [5, 10, 20, 30, 60],
  'transitions.fade': { min: 0.6, max: 0.98 },
  popularity: { min: 0, max: 0.7 },
};
