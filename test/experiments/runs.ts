import type { ArmFigure } from '../../server/experiments/report.ts';
import { Draws } from '../../server/experiments/statistics/testing/draws.ts';
import { type Lifted, type Lifts, NO_LIFTS, type Population } from './population.ts';
import { Lab, Trial } from './trial.ts';

/** Many experiments. */

export interface Looks {
  readonly runs: number;
  readonly looks: number;
  /** Events between two looks. */
  readonly every: number;
  readonly weights: readonly [number, number];
  readonly crowd: number;
  readonly seed: number;
}

/** Of experiments whose arms are alike: how many find a difference by a metric at one look at least, by metric. */
export function falsePositives(population: Population, { runs, looks, every, ...how }: Looks): Map<string, number> {
  const [lab, draws] = [new Lab(), new Draws(how.seed)];
  const counts = new Map<string, number>();
  for (let run = 0; run < runs; run++) {
    const trial = new Trial(lab, { population, lifts: NO_LIFTS, ...how }, draws, `alike-${how.seed}-${run}`);
    const found = new Set<string>();
    for (let look = 0; look < looks; look++) {
      trial.run(every);
      for (const figure of trial.differences()) {
        if (!counts.has(figure.metric)) counts.set(figure.metric, 0);
        if (signOf(figure) !== 0) found.add(figure.metric);
      }
    }
    for (const metric of found) counts.set(metric, (counts.get(metric) ?? 0) + 1);
  }
  return counts;
}

export interface Chase {
  readonly runs: number;
  /** Units by which a test that is looked at once finds the lift with 80%. */
  readonly units: number;
  readonly every: number;
  readonly crowd: number;
  readonly seed: number;
}

export interface Found {
  readonly lift: number;
  /** Shares of the runs: by a test at N units; by a verdict until 2N. */
  readonly once: number;
  readonly always: number;
}

const SIGNS: Readonly<Record<Lifted, 1 | -1>> = { conversion: 1, mean_value: 1, rmse: -1, 'ndcg@10': 1 };
/** What the pilots begin with, and how many there are. */
const PILOT: Lifts = { conversion: 0.1, mean_value: 0.25, rmse: 0.2, 'ndcg@10': 0.03 };
const ROUNDS = 2;
/** The quantiles of 97.5% and 80%: what a test with a power of 80% needs. */
const DEVIATIONS = 1.96 + 0.8416;

/** How soon lifts are found that a t-test at N finds with a power of 80%: all metrics are lifted in the same runs. */
export function findLifts(population: Population, chase: Chase, metrics: readonly Lifted[]): Map<Lifted, Found> {
  const runs = Math.ceil(chase.runs / 2);
  let lifts = PILOT;
  let pilot: Observed[] = [];
  // The first ones are far from what is needed, so what they need is told roughly.
  for (let round = 1; round <= ROUNDS; round++) {
    pilot = observe(population, { ...chase, runs, seed: chase.seed + round }, lifts, metrics, 1);
    const before = lifts;
    lifts = { ...NO_LIFTS, ...Object.fromEntries(metrics.map((metric) => [metric, liftFor(metric, pilot, before)])) };
  }
  const seen = observe(population, chase, lifts, metrics, 2);
  // What one test takes for significant: the spread of the differences themselves is known here.
  return new Map(
    metrics.map((metric) => {
      const deviation = deviationOf(pilot.map((run) => run.atN.get(metric) ?? 0));
      const once = seen.filter((run) => SIGNS[metric] * (run.atN.get(metric) ?? 0) > 1.96 * deviation).length;
      const always = seen.filter((run) => run.decided.has(metric)).length;
      return [metric, { lift: lifts[metric], once: once / chase.runs, always: always / chase.runs }];
    }),
  );
}

interface Observed {
  readonly atN: ReadonlyMap<string, number>;
  readonly decided: ReadonlySet<string>;
}

function observe(
  population: Population,
  { runs, units, every, crowd, seed }: Chase,
  lifts: Lifts,
  metrics: readonly Lifted[],
  times: number,
): Observed[] {
  const [lab, draws] = [new Lab(), new Draws(seed)];
  return Array.from({ length: runs }, (_, run) => {
    const trial = new Trial(lab, { population, weights: [1, 1], crowd, lifts }, draws, `lifted-${seed}-${run}`);
    const [atN, decided] = [new Map<string, number>(), new Set<string>()];
    while (trial.units < times * units) {
      trial.run(every);
      const figures = trial.differences();
      if (atN.size === 0 && trial.units >= units) for (const { metric, value } of figures) atN.set(metric, value);
      for (const figure of figures) if (signOf(figure) === SIGNS[figure.metric as Lifted]) decided.add(figure.metric);
      if (atN.size > 0 && metrics.every((metric) => decided.has(metric))) break;
    }
    return { atN, decided };
  });
}

/** By the lifts of a pilot, which differences are taken to be in proportion to. */
function liftFor(metric: Lifted, pilot: readonly Observed[], lifts: Lifts): number {
  const values = pilot.map((run) => run.atN.get(metric) ?? 0);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return (DEVIATIONS * deviationOf(values) * lifts[metric]) / Math.abs(mean);
}

function deviationOf(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}

function signOf({ bounds }: ArmFigure): -1 | 0 | 1 {
  if (!bounds) return 0;
  return bounds.lower > 0 ? 1 : bounds.upper < 0 ? -1 : 0;
}
