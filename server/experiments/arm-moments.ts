import type { Ledger } from '../memory/ledger/ledger.ts';
import type { Arm, Experiment } from '../store/experiment.ts';
import { EXPERIMENT_METRICS } from './metrics.ts';
import type { ArmSums } from './statistics/figures.ts';
import { Preference } from './statistics/interleaving.ts';
import { Moments } from './statistics/moments.ts';
import type { Arrivals } from './statistics/sample-ratio.ts';

/** What the ledger has of an experiment, as the statistics take it. */

export interface ArmMoments {
  readonly exposures: number;
  readonly outcomes: number;
  /** Those that it answered. */
  readonly units: number;
  /** By metric. */
  readonly sums: ReadonlyMap<string, ArmSums>;
  /** SHADOW: by metric, what its units have minus what the control has of them, where both were measured by the same events. */
  readonly paired: ReadonlyMap<string, Moments>;
}

export interface ExperimentMoments {
  readonly arms: readonly ArmMoments[];
  /** Those that came, whichever arms answered them. */
  readonly units: number;
  /** Units by when they first came: while shares were what they were, as far back as that is kept. */
  readonly arrivals: readonly Arrivals[];
  /** Whose items were chosen of lists that two arms drafted. */
  readonly drafts: Drafts;
}

export interface Drafts {
  readonly preference: Preference;
  /** By arm: outcomes with items that it brought. */
  readonly credits: [control: number, arm: number];
}

/** Rows that are read at once. */
const ROWS = 1024;

/** Reads them some rows at a time, so that others can be answered in between; `metrics`: those that are wanted, by name. */
export function* readMoments(
  { units }: Ledger,
  { number, arms, cuts, learningScope }: Experiment,
  metrics?: readonly string[],
): Generator<void, ExperimentMoments> {
  const wanted = metrics ? EXPERIMENT_METRICS.filter(({ name }) => metrics.includes(name)) : EXPERIMENT_METRICS;
  const found = arms.map(() => ({
    exposures: 0,
    outcomes: 0,
    units: 0,
    sums: new Map<string, Mutable>(),
    paired: new Map<string, Moments>(),
  }));
  const arrivals = cuts.map(({ shares }) => ({ units: arms.map(() => 0), shares }));
  let came = 0;
  const drafts: Drafts = { preference: new Preference(), credits: [0, 0] };
  const unit = { sum: 0, count: 0, sumBefore: 0, countBefore: 0 };
  for (let row = 0; row < units.rows; row++) {
    if (row % ROWS === ROWS - 1) yield;
    if (units.count(row, 'experiment') !== number) continue;
    const index = units.count(row, 'arm');
    const arm = found[index];
    // One that was added since this was asked for.
    if (!arm) continue;
    const exposures = units.count(row, 'exposures');
    arm.exposures += exposures;
    arm.outcomes += units.count(row, 'outcomes');
    if (exposures > 0) {
      arm.units++;
      // Whoever had another arm before came already.
      if (units.isFirst(row)) {
        came++;
        const stretch = arrivals[cutAt(cuts, arms[index], index, units.sum(row, 'firstMs'))];
        if (stretch) stretch.units[index]++;
      }
    }
    const [credits, other] = [units.count(row, 'controlCredits'), units.count(row, 'otherCredits')];
    drafts.preference.add({ control: credits, arm: other });
    drafts.credits[0] += credits;
    drafts.credits[1] += other;
    const control = learningScope === 'shadow' && index > 0 ? units.besides(row, 0) : -1;
    for (const metric of wanted) {
      unit.count = metric.count(units, row);
      if (unit.count === 0) continue;
      unit.sum = metric.sum(units, row);
      unit.sumBefore = metric.hasBefore ? units.sum(row, 'valueBefore') : 0;
      unit.countBefore = metric.hasBefore ? units.count(row, 'ratingsBefore') : 0;
      const sums = sumsOf(arm.sums, metric.name);
      sums.moments.add(unit);
      sums.events.count += unit.count;
      sums.events.sum += unit.sum;
      sums.events.squares += metric.squares(units, row);
      if (control < 0 || metric.count(units, control) !== unit.count) continue;
      const { sum, count } = unit;
      pairedOf(arm.paired, metric.name).add({ ...NOTHING_BEFORE, sum: sum - metric.sum(units, control), count });
    }
  }
  return { arms: found, units: came, arrivals, drafts };
}

interface Mutable {
  readonly moments: Moments;
  readonly events: { count: number; sum: number; squares: number };
}

function sumsOf(sums: Map<string, Mutable>, metric: string): Mutable {
  let found = sums.get(metric);
  if (!found) {
    found = { moments: new Moments(), events: { count: 0, sum: 0, squares: 0 } };
    sums.set(metric, found);
  }
  return found;
}

const NOTHING_BEFORE = { sumBefore: 0, countBefore: 0 };

function pairedOf(paired: Map<string, Moments>, metric: string): Moments {
  const found = paired.get(metric) ?? new Moments();
  paired.set(metric, found);
  return found;
}

/**
 * The last cut by then that gave the arm a share, if any did: what was on its way when an arm was stopped came by the cut
 * before. -1: that one is not kept any more.
 */
function cutAt(cuts: Experiment['cuts'], { baseShare }: Arm, arm: number, atMs: number): number {
  return cuts.findLastIndex(({ fromMs, shares }) => fromMs <= atMs && (shares[arm] > 0 || baseShare === undefined));
}
