import type { Units } from '../memory/ledger/units.ts';
import { EXPERIMENT_METRICS } from './metrics.ts';
import type { ArmSums } from './statistics/figures.ts';
import { Moments } from './statistics/moments.ts';

/**
 * What an arm has more than the control of the same events, where all arms expect every event: what is common to both cancels
 * in each unit's difference, so far fewer events tell them apart.
 */
export class Pairs {
  readonly #sums = new Map<string, { moments: Moments; events: { count: number; sum: number; squares: number } }>();
  /** Metrics of which a unit had other events with one arm than with the other. */
  readonly #apart = new Set<string>();

  /** One unit's rows with both; -1: it has none with the control. */
  add(units: Units, row: number, control: number): void {
    for (const metric of EXPERIMENT_METRICS) {
      const count = metric.count(units, row);
      const other = control < 0 ? 0 : metric.count(units, control);
      if (count !== other) this.#apart.add(metric.name);
      if (count === 0 || count !== other) continue;
      const [own, its] = [metric.sum(units, row), metric.sum(units, control)];
      const sums = this.#sumsOf(metric.name);
      sums.moments.add({ sum: own - its, count, sumBefore: 0, countBefore: 0 });
      sums.events.count += count;
      sums.events.sum += own - its;
      // Of an event's difference the ledger has no square: this is one as if a unit's events went together only by its mean.
      sums.events.squares += metric.squares(units, row) + metric.squares(units, control) - (2 * own * its) / count;
    }
  }

  /** By metric; of those alone whose events were the same for every unit. */
  get sums(): ReadonlyMap<string, ArmSums> {
    return new Map([...this.#sums].filter(([name]) => !this.#apart.has(name)));
  }

  #sumsOf(metric: string) {
    const sums = this.#sums.get(metric) ?? { moments: new Moments(), events: { count: 0, sum: 0, squares: 0 } };
    this.#sums.set(metric, sums);
    return sums;
  }
}
