import type { PairedDifference } from '../../../proto/gen/accrete/v1/metric.ts';

/** What paired differences say of models: which of them may take the place of the one that they are compared with. */

export type Verdict = 'better' | 'worse' | 'higher' | 'lower' | 'not to be told apart' | 'unknown';

const LOWER_IS_BETTER = ['rmse', 'mae', 'log_loss', 'calibration_error'];
const HIGHER_IS_BETTER = ['accuracy', 'rating_auc', 'auc', 'mrr', 'hit_rate', 'ndcg', 'precision', 'recall'];

/** 1: more is better, -1: less is; 0: neither by itself, as of what lists look like. */
export function directionOf(metric: string): 1 | -1 | 0 {
  const [stem] = metric.split('@');
  if (LOWER_IS_BETTER.includes(stem)) return -1;
  return HIGHER_IS_BETTER.includes(stem) ? 1 : 0;
}

/** Apart are two models whose interval does not hold 0. */
export function verdictOf({ metric, lower, upper }: Pick<PairedDifference, 'metric' | 'lower' | 'upper'>): Verdict {
  if (lower === undefined || upper === undefined) return 'unknown';
  if (lower <= 0 && upper >= 0) return 'not to be told apart';
  const isMore = lower > 0;
  const direction = directionOf(metric);
  if (direction === 0) return isMore ? 'higher' : 'lower';
  return direction > 0 === isMore ? 'better' : 'worse';
}

export interface Decision {
  /** In one sentence. */
  readonly text: string;
  /** By model, in words. */
  readonly reasons: readonly string[];
}

/** Of all users together: a model passes that is better by some metric, worse by none, and known by all. */
export function decide(differences: readonly PairedDifference[]): Decision {
  const whole = differences.filter(({ metric, segment }) => segment === '' && directionOf(metric) !== 0);
  if (whole.length === 0)
    return { text: 'Nothing to decide: no two models were compared on the same observations.', reasons: [] };
  const { baseline } = whole[0];
  const models = [...Map.groupBy(whole, ({ model }) => model)].map(([model, own]) => {
    const named = (verdict: Verdict) => own.filter((one) => verdictOf(one) === verdict).map(({ metric }) => metric);
    return { model, better: named('better'), worse: named('worse'), unknown: named('unknown') };
  });
  const passed = models.filter(
    ({ better, worse, unknown }) => better.length > 0 && worse.length === 0 && unknown.length === 0,
  );
  const text =
    passed.length === 0
      ? `Keep ${baseline}: no other model is surely better by a metric without being worse by another, or unknown.`
      : `Instead of ${baseline} take ${passed.map(({ model }) => model).join(' or ')}: surely better by at least one metric, and worse by none.`;
  const listed = (what: string, metrics: readonly string[]) =>
    metrics.length > 0 ? [`${what} by ${metrics.join(', ')}`] : [];
  const reasons = models.map(({ model, better, worse, unknown }) => {
    const found = [
      ...listed('better', better),
      ...listed('worse', worse),
      ...listed('not known, of too few users,', unknown),
    ];
    return `${model} against ${baseline}: ${found.join('; ') || 'not to be told apart'}.`;
  });
  return { text, reasons };
}
