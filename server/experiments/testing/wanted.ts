import type { WantedExperiment } from '../../store/experiment.ts';

/** An experiment as it may be asked for: half of all users for each of two arms. */
export const WANTED: WantedExperiment = {
  name: 'first',
  description: '',
  salt: 'first',
  learningScope: 'shared',
  arms: [
    { name: 'a', model: 'mf', weight: 1 },
    { name: 'b', model: 'mean', weight: 1 },
  ],
  unit: 'user',
  eligibleShare: 1,
  eligibleFilter: '',
  layer: '',
  primaryMetric: 'conversion',
  guardRails: [],
  attributionWindowMs: 1000,
  allocation: 'hash',
  allocationFloor: 0.1,
};
