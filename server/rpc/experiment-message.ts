import {
  AllocationMethod,
  ExperimentState,
  type ArmReport as WireArmReport,
  type Experiment as WireExperiment,
  type ExperimentPlan as WirePlan,
  type ExperimentReport as WireReport,
  type Slice as WireSlice,
} from '../../proto/gen/accrete/v1/experiment.ts';
import { LearningScope } from '../../proto/gen/accrete/v1/model.ts';
import type { Duration } from '../../proto/gen/google/protobuf/duration.ts';
import type { Slices } from '../allocation/slices.ts';
import type { ArmReport, Report } from '../experiments/report.ts';
import { revisionText } from '../memory/revisions.ts';
import type { HistoryFigure, HistoryPoint } from '../serving/experiment-history.ts';
import type { Plan } from '../serving/experiment-reports.ts';
import { type Experiment, isRunning, isToBeIsolated } from '../store/experiment.ts';
import { timestampOf } from './model-message.ts';

/** Experiments and their reports, as the wire tells them. */

const SCOPES = {
  shared: LearningScope.LEARNING_SCOPE_SHARED,
  isolated: LearningScope.LEARNING_SCOPE_ISOLATED,
  shadow: LearningScope.LEARNING_SCOPE_SHADOW,
} as const;

const ALLOCATIONS = {
  hash: AllocationMethod.ALLOCATION_METHOD_HASH,
  thompson: AllocationMethod.ALLOCATION_METHOD_THOMPSON,
  interleave: AllocationMethod.ALLOCATION_METHOD_INTERLEAVE,
} as const;

export function experimentMessage(experiment: Experiment): WireExperiment {
  const { startMs, endMs, ended, attributionWindowMs, learningScope, allocation } = experiment;
  return {
    name: experiment.name,
    description: experiment.description,
    salt: experiment.salt,
    learningScope: SCOPES[learningScope],
    arms: experiment.arms.map(({ name, model, weight, slices }) => ({
      name,
      model,
      weight,
      slices: wireSlices(slices),
    })),
    unit: experiment.unit,
    startTime: timestampOf(startMs),
    endTime: endMs === undefined ? undefined : timestampOf(endMs),
    eligibleShare: experiment.eligibleShare,
    eligibleFilter: experiment.eligibleFilter,
    layer: experiment.layer,
    primaryMetric: experiment.primaryMetric,
    guardRails: experiment.guardRails.map(({ metric, harmMax }) => ({ metric, harmMax })),
    attributionWindow: durationOf(attributionWindowMs),
    allocation: ALLOCATIONS[allocation],
    allocationFloor: experiment.allocationFloor,
    state: stateOf(experiment, Date.now()),
    stateReason: ended?.reason ?? '',
    layerSlices: wireSlices(experiment.layerSlices),
  };
}

export function planMessage({ bytes, units, seconds }: Plan): WirePlan {
  return {
    bytes: BigInt(Math.round(bytes)),
    units: BigInt(Math.round(units ?? 0)),
    duration: seconds === undefined ? undefined : durationOf(1000 * seconds),
  };
}

export function reportMessage(
  { arms, counts, revision, ...report }: Report,
  history: readonly HistoryPoint[],
): WireReport {
  const [control] = arms;
  return {
    arms: arms.map((arm) => armMessage(arm, control)),
    verdict: report.verdict,
    winner: report.winner,
    sampleRatioP: report.sampleRatioP,
    caveats: [...report.caveats],
    lateOutcomes: BigInt(counts.late),
    duplicateOutcomes: BigInt(counts.duplicate),
    foreignOutcomes: BigInt(counts.foreign),
    lostExposures: BigInt(counts.lost),
    lostOutcomes: BigInt(counts.ofLost),
    revision: revisionText(revision),
    points: history.flatMap(({ atMs, arms: others }) =>
      others.map(({ name, differences }) => ({
        time: timestampOf(atMs),
        arm: name,
        differences: differences.map((figure) => ({
          model: arms.find((arm) => arm.name === name)?.model ?? '',
          baseline: control.model,
          ...figureMessage(figure),
        })),
      })),
    ),
  };
}

function armMessage(arm: ArmReport, control: ArmReport): WireArmReport {
  return {
    arm: arm.name,
    exposures: BigInt(arm.exposures),
    outcomes: BigInt(arm.outcomes),
    units: BigInt(arm.units),
    metrics: arm.figures.map((figure) => ({ model: arm.model, ...figureMessage(figure) })),
    differences: arm.differences.map((figure) => ({
      model: arm.model,
      baseline: control.model,
      ...figureMessage(figure),
    })),
    stopReason: arm.stopReason,
  };
}

function figureMessage({ metric, value, bounds, count }: HistoryFigure) {
  return {
    metric,
    value,
    lower: bounds?.lower,
    upper: bounds?.upper,
    count: BigInt(count),
    window: 'total',
    segment: '',
  };
}

function stateOf(experiment: Experiment, nowMs: number): ExperimentState {
  const { ended } = experiment;
  if (ended?.how === 'promoted') return ExperimentState.EXPERIMENT_STATE_PROMOTED;
  if (ended) return ExperimentState.EXPERIMENT_STATE_STOPPED;
  if (isRunning(experiment, nowMs)) return ExperimentState.EXPERIMENT_STATE_RUNNING;
  return experiment.startMs > nowMs || isToBeIsolated(experiment)
    ? ExperimentState.EXPERIMENT_STATE_SCHEDULED
    : ExperimentState.EXPERIMENT_STATE_STOPPED;
}

function wireSlices(slices: Slices): WireSlice[] {
  return slices.map(([from, to]) => ({ from: BigInt(from), to: BigInt(to) }));
}

function durationOf(ms: number): Duration {
  const seconds = Math.floor(ms / 1000);
  return { seconds: BigInt(seconds), nanos: Math.round((ms - 1000 * seconds) * 1e6) };
}
