import { LIST_METRICS_AT } from './list-metrics.ts';
import { CUTOFF_MAX } from './metrics.ts';
import { PREDICTION_METRICS } from './prediction-metrics.ts';
import { RANKING_METRICS, RANKING_METRICS_AT } from './ranking-metrics.ts';
import type { Evidence, Make, Statistic } from './statistic.ts';

/** All metrics of HOLDOUT and RANKING_SAMPLED, by name. */

/** What a metric is of: predicted ratings, the places of held-out items, or lists. */
export type MeasureKind = 'prediction' | 'rank' | 'list';

export interface Measure {
  readonly name: string;
  readonly of: MeasureKind;
  /** The k of its name, or 0. */
  readonly cutoff: number;
  /** Its statistic of a model, or why the model has none. */
  readonly make: (evidence: Evidence) => Statistic | string;
}

interface Family {
  readonly of: MeasureKind;
  readonly plain: Readonly<Record<string, Make>>;
  readonly at: Readonly<Record<string, Make>>;
}

const FAMILIES: readonly Family[] = [
  { of: 'prediction', plain: PREDICTION_METRICS, at: {} },
  { of: 'rank', plain: RANKING_METRICS, at: RANKING_METRICS_AT },
  { of: 'list', plain: {}, at: LIST_METRICS_AT },
];

/** The metric of a name, or undefined when there is none. */
export function findMeasure(name: string): Measure | undefined {
  const [, stem, digits] = /^([a-z_]+)@([1-9]\d{0,2})$/.exec(name) ?? [];
  const cutoff = Number(digits ?? 0);
  for (const { of, plain, at } of FAMILIES) {
    const makes = stem === undefined ? plain : at;
    const key = stem ?? name;
    if (!Object.hasOwn(makes, key) || cutoff > CUTOFF_MAX) continue;
    return { name, of, cutoff, make: (evidence) => makes[key](evidence, cutoff) };
  }
  return undefined;
}

const namesOf = ({ plain, at }: Family) => [...Object.keys(plain), ...Object.keys(at).map((stem) => `${stem}@k`)];

/** All that there are, with `@k` for those that have a cut-off. */
export const METRIC_NAMES: readonly string[] = FAMILIES.flatMap(namesOf);

/** What there is, for who asked for something else. */
export function describeMeasures(kinds: readonly MeasureKind[]): string {
  const names = FAMILIES.filter(({ of }) => kinds.includes(of)).flatMap(namesOf);
  return `${names.join(', ')}; k from 1 to ${CUTOFF_MAX}`;
}
