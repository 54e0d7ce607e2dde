import type { Experiment } from '../store/experiment.ts';
import { end, stopArm } from './making.ts';

/**
 * An experiment some of whose arms have lost their worlds, by their numbers: nobody can say any more what they would have come
 * to. They are stopped, so that the control answers their units; without the control, or without any other arm, it ends.
 */
export function loseArms(before: Experiment, lost: readonly number[], why: string, nowMs: number): Experiment {
  const lostReason = `it has lost what it had learned: ${why}`;
  const arms = before.arms.map((arm, n) => (lost.includes(n) ? { ...arm, lostReason } : arm));
  const marked: Experiment = { ...before, arms };
  if (before.ended) return marked;
  if (lost.includes(0))
    return end(marked, {
      how: 'stopped',
      atMs: nowMs,
      reason: `its control ${arms[0].name} is no more: ${lostReason}`,
    });
  const stopNext = (experiment: Experiment, n: number) =>
    experiment.ended || arms[n].stopReason !== undefined
      ? experiment
      : stopArm(experiment, arms[n].name, lostReason, nowMs);
  return lost.reduce(stopNext, marked);
}
