import { AccreteError } from '../errors.ts';
import type { Scenario } from '../store/control.ts';
import type { Expression } from './filter/expression.ts';
import { parseFilter } from './filter/parse.ts';
import type { LearnerQueue } from './learner-queue.ts';

/** Named bundles of defaults for recommendations, as the serving thread knows them. */
export class Scenarios {
  readonly #queue: LearnerQueue;
  #scenarios: ReadonlyMap<string, Scenario>;
  readonly #filters = new WeakMap<Scenario, Expression | undefined>();

  constructor(queue: LearnerQueue, scenarios: ReadonlyMap<string, Scenario>) {
    this.#queue = queue;
    this.#scenarios = scenarios;
  }

  get byName(): ReadonlyMap<string, Scenario> {
    return this.#scenarios;
  }

  /** Throws SCENARIO_NOT_FOUND. */
  require(name: string): Scenario {
    const scenario = this.#scenarios.get(name);
    if (scenario) return scenario;
    const names = [...this.#scenarios.keys()].join(', ') || 'none';
    throw new AccreteError('SCENARIO_NOT_FOUND', `There is no scenario ${JSON.stringify(name)}; there are: ${names}`, {
      metadata: { scenario: name },
    });
  }

  /** Its filter, parsed once. Throws INVALID_FIELD for one that this version no longer takes. */
  filterOf(scenario: Scenario): Expression | undefined {
    if (!this.#filters.has(scenario)) this.#filters.set(scenario, parseFilter(scenario.filter, 'scenario.filter'));
    return this.#filters.get(scenario);
  }

  async put(scenario: Scenario): Promise<void> {
    await this.#queue.change({ type: 'scenario', name: scenario.name, scenario });
    this.settle(new Map(this.#scenarios).set(scenario.name, scenario));
  }

  /** Deleting what is not there changes nothing. */
  async delete(name: string): Promise<void> {
    if (!this.#scenarios.has(name)) return;
    await this.#queue.change({ type: 'scenario', name, scenario: null });
    const left = new Map(this.#scenarios);
    left.delete(name);
    this.settle(left);
  }

  /** What holds from now on. */
  settle(scenarios: ReadonlyMap<string, Scenario>): void {
    this.#scenarios = scenarios;
  }
}
