import type { Aim, SearchSpace } from '../contract/index.ts';
import type { NcfConfig } from './config.ts';

/** Settings of `ncf` that are worth a search. */
export function tuning(_config: NcfConfig, aim: Aim): SearchSpace {
  return aim === 'rating' ? RATING : { popularity: { min: 0.5, max: 8, log: true } };
}

const RATING: SearchSpace = {
  'gmf.k': [16, 32, 64, 128],
  'online.eta': { min: 0.03, max: 0.5, log: true },
  'online.l2': { min: 0.002, max: 0.2, log: true },
  'replay.count': [0, 2, 4, 6, 8],
  'replay.eta': { min: 0.01, max: 0.1, log: true },
  'replay.l2': { min: 0.02, max: 0.3, log: true },
  'gate.prior': { min: 0.3, max: 30, log: true },
};
