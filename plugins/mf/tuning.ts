import type { Aim, SearchSpace } from '../contract/index.ts';
import type { MfConfig } from './config.ts';

/** Settings of `mf` that are worth a search. */
export function tuning(config: MfConfig, aim: Aim): SearchSpace {
  if (config.objective !== 'rating') return aim === 'ranking' ? ofObjective(config) : {};
  if (aim === 'rating') return ofRatings(config);
  return config.ranking === 'sequence' ? SEQUENCE : { popularity: { min: 0.5, max: 8, log: true } };
}

const K = [16, 32, 64, 128];

function ofRatings({ base, optimiser }: MfConfig): SearchSpace {
  const isAdaptive = optimiser === 'adagrad' || optimiser === 'adam';
  return {
    k: K,
    eta: isAdaptive ? { min: 0.001, max: 0.1, log: true } : { min: 0.03, max: 0.5, log: true },
    l2: { min: 0.002, max: 0.2, log: true },
    'replay.count': [0, 2, 4, 6, 8, 12],
    'replay.eta': { min: 0.01, max: 0.1, log: true },
    'replay.l2': { min: 0.02, max: 0.3, log: true },
    ...(optimiser === 'momentum' && { mu: { min: -0.5, max: 0.9 } }),
    ...(base === 'bayes'
      ? { 'regression.noise': { min: 0.4, max: 1.5, log: true } }
      : { 'bias.userFloor': { min: 0.02, max: 0.2, log: true } }),
  };
}

const SEQUENCE: SearchSpace = {
  'sequence.k': K,
  'sequence.eta': { min: 0.02, max: 0.2, log: true },
  'sequence.userEta': { min: 0.04, max: 0.4, log: true },
  'sequence.negatives': [8, 16, 32, 64],
  'sequence.decay': { min: 0.6, max: 0.98 },
};

function ofObjective({ objective }: MfConfig): SearchSpace {
  if (objective === 'ials')
    return {
      'ials.missing': { min: 0.05, max: 2, log: true },
      'ials.l2': { min: 0.001, max: 0.1, log: true },
      'ials.decay': { min: 0.6, max: 0.98 },
    };
  return {
    k: K,
    'feedback.eta': { min: 0.05, max: 0.6, log: true },
    'feedback.biasEta': { min: 0.05, max: 2, log: true },
    'feedback.l2': { min: 0.0002, max: 0.01, log: true },
  };
}
