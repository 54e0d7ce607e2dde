import type { Ledger } from '../memory/ledger/ledger.ts';
import type { Tally } from '../memory/ledger/tallies.ts';
import type { Experiment } from '../store/experiment.ts';
import type { ArmMoments, ExperimentMoments } from './arm-moments.ts';
import {
  EXPERIMENT_METRICS,
  type ExperimentMetric,
  findExperimentMetric,
  PREFERENCE,
  preferenceConfidence,
} from './metrics.ts';
import { adjustmentOf, NO_ADJUSTMENT } from './statistics/adjustment.ts';
import { type Bounds, boundsOf, CONFIDENCE, type Confidence } from './statistics/boundary.ts';
import { differenceOf, figureOf, pairedDifference } from './statistics/figures.ts';
import { type Metric, reportDifference, reportFigure } from './statistics/metric.ts';
import { sampleRatioP } from './statistics/sample-ratio.ts';
import { alphaOf, type Finding, findingOf } from './statistics/verdict.ts';

/** What is known of an experiment: its ledger, through the statistics, in words and figures. */

export interface Report {
  readonly arms: readonly ArmReport[];
  /** In words. */
  readonly verdict: string;
  /** "": not decided. */
  readonly winner: string;
  readonly sampleRatioP: number;
  readonly caveats: readonly string[];
  readonly counts: Readonly<Record<Tally, number>>;
  /** It covers what was learned up to here. */
  readonly revision: number;
}

export interface ArmReport {
  readonly name: string;
  readonly model: string;
  readonly exposures: number;
  readonly outcomes: number;
  readonly units: number;
  readonly figures: readonly ArmFigure[];
  /** From the control; empty for that. */
  readonly differences: readonly ArmFigure[];
  /** "": it was not stopped. */
  readonly stopReason: string;
  /** "": nothing of it was lost. */
  readonly lostReason: string;
}

export interface ArmFigure {
  readonly metric: string;
  readonly value: number;
  readonly bounds: Bounds | undefined;
  readonly count: number;
}

/** Below this, nothing else can be trusted. */
export const RATIO_P_MIN = 0.001;
const TALLIES: readonly Tally[] = ['late', 'duplicate', 'foreign', 'lost', 'ofLost'];

/** `found`: what the ledger has of it, as of this revision at least. */
export function reportOf(ledger: Ledger, experiment: Experiment, found: ExperimentMoments, revision: number): Report {
  const confidence = confidenceOf(experiment);
  // A list that both arms drafted is neither's alone.
  const metrics = experiment.allocation === 'interleave' ? [] : EXPERIMENT_METRICS;
  const arms = experiment.arms.map((arm, index): ArmReport => {
    const { exposures, outcomes, units } = armCounts(experiment, found, index);
    return {
      name: arm.name,
      model: arm.model,
      exposures,
      outcomes,
      units,
      figures: metrics.flatMap((metric) => figure(metric, found.arms[index], confidence)),
      differences:
        index === 0 || isLost(experiment, index)
          ? []
          : [
              ...preference(experiment, found, confidence),
              ...metrics.flatMap((metric) => difference(metric, found.arms, index, confidence)),
            ],
      stopReason: arm.stopReason ?? arm.lostReason ?? '',
      lostReason: arm.lostReason ?? '',
    };
  });
  const p = experiment.learningScope === 'shadow' ? 1 : sampleRatioP(found.arrivals);
  const finding = findingIn(experiment, arms);
  return {
    arms,
    ...inWords(experiment, arms, finding, p),
    sampleRatioP: p,
    caveats: caveatsOf(experiment, ledger),
    counts: Object.fromEntries(
      TALLIES.map((name) => [name, ledger.tallies.get(experiment.number, name)]),
    ) as Report['counts'],
    revision,
  };
}

/** Of each comparison with the control, so that all hold together. */
export function confidenceOf({ arms }: Experiment): Confidence {
  return { ...CONFIDENCE, alpha: alphaOf(CONFIDENCE.alpha, arms.length) };
}

function figure(metric: ExperimentMetric, arm: ArmMoments, confidence: Confidence): ArmFigure[] {
  const sums = arm.sums.get(metric.name);
  if (!sums || sums.moments.count === 0) return [];
  const estimate = figureOf(sums);
  const count = Math.round(sums.events.count);
  // With few units there is a figure, and nothing to be said of how sure it is.
  const plain = { value: sums.moments.sum / sums.moments.count, variance: 0, clock: 0, units: 0 };
  const bounds = estimate && boundsOf(estimate, confidence);
  return [{ metric: metric.name, count, ...reportFigure(metric, estimate ?? plain, bounds) }];
}

function difference(
  metric: ExperimentMetric,
  all: readonly ArmMoments[],
  index: number,
  confidence: Confidence,
): ArmFigure[] {
  const [arm, control] = [all[index].sums.get(metric.name), all[0].sums.get(metric.name)];
  if (!arm || !control) return [];
  const paired = all[index].paired.get(metric.name);
  const estimate = paired
    ? pairedDifference(paired)
    : differenceOf(arm, control, { adjustment: adjustmentFor(metric, all) });
  if (!estimate) return [];
  const levels = [arm, control].map(({ moments }) => moments.sum / moments.count);
  const reported = reportDifference(metric, estimate, boundsOf(estimate, confidence), [levels[0], levels[1]]);
  const count = paired ? paired.count : arm.events.count + control.events.count;
  return [{ metric: metric.name, count: Math.round(count), ...reported }];
}

/** What is compared: of lists that both arms drafted, whose items are chosen. */
const metricOf = ({ allocation, primaryMetric }: Experiment): Metric & { readonly name: string } =>
  allocation === 'interleave' ? PREFERENCE : (findExperimentMetric(primaryMetric) as ExperimentMetric);

/** Lists that both arms drafted are of both, and outcomes of whoever brought the item. */
function armCounts({ allocation }: Experiment, { arms, drafts }: ExperimentMoments, index: number) {
  if (allocation !== 'interleave') return arms[index];
  const sum = (of: (arm: ArmMoments) => number) => arms.reduce((all, arm) => all + of(arm), 0);
  const [exposures, units] = [sum((arm) => arm.exposures), sum((arm) => arm.units)];
  return { exposures, units, outcomes: drafts.credits[index] };
}

function preference({ allocation }: Experiment, { drafts }: ExperimentMoments, confidence: Confidence): ArmFigure[] {
  const { preference, credits } = drafts;
  const { estimate } = preference;
  if (allocation !== 'interleave' || !estimate) return [];
  return [
    {
      metric: PREFERENCE.name,
      count: credits[0] + credits[1],
      value: estimate.value,
      bounds: boundsOf(estimate, preferenceConfidence(confidence)),
    },
  ];
}

/** What units did before tells something of some metrics. */
export function adjustmentFor(metric: ExperimentMetric, all: readonly ArmMoments[]) {
  if (!metric.hasBefore) return NO_ADJUSTMENT;
  return adjustmentOf(all.flatMap(({ sums }) => sums.get(metric.name)?.moments ?? []));
}

function findingIn(experiment: Experiment, arms: readonly ArmReport[]): Finding {
  const metric = metricOf(experiment);
  const [control] = experiment.arms;
  const others = comparable(arms).map(({ name, differences }) => {
    const found = differences.find((each) => each.metric === metric.name);
    return { name, value: found?.value ?? 0, bounds: found?.bounds };
  });
  return findingOf(metric, control.name, others);
}

/** Without its world an arm is no more what was to be compared; nor is any without that of the control. */
function isLost({ arms: [control, ...others] }: Experiment, arm: number): boolean {
  return control.lostReason !== undefined || others[arm - 1].lostReason !== undefined;
}

/** Those that the control can be compared with. */
function comparable([control, ...others]: readonly ArmReport[]): ArmReport[] {
  return control.lostReason === '' ? others.filter(({ lostReason }) => lostReason === '') : [];
}

function voidVerdict(arms: readonly ArmReport[]): string {
  const lost = arms.filter(({ lostReason }) => lostReason !== '');
  const [{ lostReason }] = lost;
  return `Void: of ${lost.map(({ name }) => name).join(', ')} nothing can be concluded, since ${lostReason}. Make another experiment`;
}

function inWords(
  experiment: Experiment,
  arms: readonly ArmReport[],
  finding: Finding,
  p: number,
): { verdict: string; winner: string } {
  const [control] = experiment.arms;
  const { name: primaryMetric } = metricOf(experiment);
  if (comparable(arms).length === 0) return { verdict: voidVerdict(arms), winner: '' };
  if (p < RATIO_P_MIN)
    return {
      verdict: `The units are not split as the weights say (p = ${p.toPrecision(2)}): assignment, exposures or the log are broken by arm, and no figure can be trusted`,
      winner: '',
    };
  if (finding.type === 'winner') {
    const { name, isControl } = finding;
    const of = isControl ? 'all other arms' : `the control ${control.name}`;
    return { verdict: `${name} is better than ${of} by ${primaryMetric}, however often this is read`, winner: name };
  }
  const told = (arm: ArmReport) => [...arm.figures, ...arms.flatMap(({ differences }) => differences)];
  const isThin = [arms[0], ...comparable(arms)].some(
    (arm) => !told(arm).find((each) => each.metric === primaryMetric)?.bounds,
  );
  const verdict = isThin
    ? `Too few units have a ${primaryMetric} to say anything`
    : `No arm is surely better or worse than ${control.name} by ${primaryMetric} yet`;
  return { verdict, winner: '' };
}

function caveatsOf(experiment: Experiment, ledger: Ledger): string[] {
  const { learningScope, cuts, attributionWindowMs, arms } = experiment;
  const caveats: string[] = [];
  if (learningScope === 'shared')
    caveats.push(
      'with SHARED learning the arms learn from each other: each model learns the outcomes of the lists of the others, which draws the arms together',
    );
  if (learningScope === 'shadow')
    caveats.push('with SHADOW learning only the control answers: figures of outcomes are of its lists alone');
  if (cuts.length > 1)
    caveats.push(
      'shares of arms have changed: each observation is weighted by the inverse of the share that its arm had then',
    );
  for (const { name, lostReason } of arms)
    if (lostReason !== undefined) caveats.push(`arm ${name} is left out of every comparison: ${lostReason}`);
  const keptMs = ledger.answers.keptMs;
  if (keptMs !== undefined && keptMs < attributionWindowMs)
    caveats.push(
      `answers are kept for ${Math.round(keptMs / 1000)} s at this rate, less than the attribution window: later outcomes count as late; raise memory.budgetMiB`,
    );
  return caveats;
}
