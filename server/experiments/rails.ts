import type { Experiment } from '../store/experiment.ts';
import type { ExperimentMoments } from './arm-moments.ts';
import { findExperimentMetric } from './metrics.ts';
import { adjustmentFor, confidenceOf } from './report.ts';
import { failsMore, isSlower, type ServedArm } from './served.ts';
import { isBeyond } from './statistics/guard-rail.ts';

/** Which arm is to be stopped, and why. */
export interface Stop {
  readonly arm: string;
  readonly reason: string;
}

/** The arms that have gone beyond a guard rail; `served`: by arm, as far as they answered in this process. */
export function findStops(
  experiment: Experiment,
  moments: ExperimentMoments,
  served: readonly (ServedArm | undefined)[],
): Stop[] {
  const { arms, guardRails } = experiment;
  const confidence = confidenceOf(experiment);
  return arms.slice(1).flatMap(({ name, stopReason }, n) => {
    if (stopReason !== undefined) return [];
    const rail = guardRails.find(({ metric, harmMax }) => {
      if (metric === 'latency_p99_ms' || metric === 'error_share') {
        const [arm, control] = [served[n + 1], served[0]];
        const isWorse = metric === 'error_share' ? failsMore : isSlower;
        return arm && control && isWorse(arm, control, harmMax, confidence);
      }
      const found = findExperimentMetric(metric);
      const [arm, control] = [moments.arms[n + 1].sums.get(metric), moments.arms[0].sums.get(metric)];
      if (!found || !arm || !control) return false;
      return isBeyond(found, arm, control, { harmMax, confidence, adjustment: adjustmentFor(found, moments.arms) });
    });
    if (!rail) return [];
    return [
      { arm: name, reason: `its ${rail.metric} is worse than the control's by more than ${rail.harmMax}, surely` },
    ];
  });
}
