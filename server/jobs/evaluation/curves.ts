import { type Curve, type ErrorSums, errorFigures } from '../../models/prequential.ts';
import type { WritableModel } from '../../models/writable-model.ts';

/** How a model did while it learned: each first rating was predicted before it was learned (Dawid 1984; Gama 2013). */
export interface LearningCurve extends Curve {
  readonly model: string;
}

/** Stretches of a curve, at most. */
const STRETCHES = 50;

/** The curves of models that learn side by side. */
export class LearningCurves {
  readonly #models: readonly WritableModel[];
  readonly #every: number;
  readonly #sums: ErrorSums[][];
  #records = 0;

  /** `records`: how many there will be. */
  constructor(models: readonly WritableModel[], records: number) {
    this.#models = models;
    this.#every = Math.max(1, Math.ceil(records / STRETCHES));
    this.#sums = models.map(() => [{ count: 0, squared: 0, absolute: 0 }]);
  }

  /** To be called when a record has been learned. */
  note(): void {
    if (++this.#records % this.#every !== 0) return;
    for (const [m, { prequential }] of this.#models.entries()) this.#sums[m].push(prequential.sums);
  }

  get all(): LearningCurve[] {
    return this.#models.flatMap(({ name, prequential }, m) => {
      const sums = [...this.#sums[m], prequential.sums];
      const stretches = sums.slice(1).flatMap((after, n) => stretchOf(sums[n], after));
      const metrics = new Set(stretches.map(({ metric }) => metric));
      return Array.from(metrics, (metric) => ({
        model: name,
        metric,
        points: stretches.filter((one) => one.metric === metric).map(({ at: count, value }) => ({ count, value })),
      }));
    });
  }
}

function stretchOf(before: ErrorSums, after: ErrorSums) {
  const sums = {
    count: after.count - before.count,
    squared: after.squared - before.squared,
    absolute: after.absolute - before.absolute,
  };
  return errorFigures('window', sums).map(({ metric, value }) => ({ metric, value, at: after.count }));
}
