import { Owners } from '../allocation/owners.ts';
import { layerSalt, POINTS, pointOf } from '../allocation/point.ts';
import { sizeOf } from '../allocation/slices.ts';
import type { ChangeAnswer, ExperimentChange } from '../exchange/messages.ts';
import { experimentNotFound, findSuperfluous } from '../experiments/making.ts';
import { ServedArm } from '../experiments/served.ts';
import type { CohortDescriptor } from '../models/cohort-descriptor.ts';
import { type Arm, type Experiment, isRunning } from '../store/experiment.ts';
import { cohortKey } from '../teaching/cohort-choices.ts';
import { type Expression, matchesNothingKnown } from './filter/expression.ts';
import { parseFilter } from './filter/parse.ts';
import type { LearnerQueue } from './learner-queue.ts';

/** Experiments as the serving thread knows them, and whom their arms answer. */

/** Which arm answers a request. */
export interface Assignment {
  readonly experiment: Experiment;
  /** Its number among the arms. */
  readonly index: number;
  readonly arm: Arm;
  /** What was assigned: a user's id, or what stands in the request's context. */
  readonly unit: string;
}

/** Who asks. */
export interface Requester {
  /** "": nobody who is known by an id. */
  readonly userId: string;
  readonly context: Readonly<Record<string, string>>;
}

/** Who reads the worlds of isolated arms. */
interface Cohorts {
  /** There are these too. */
  add(made: readonly CohortDescriptor[]): Promise<void>;
  /** There are only those of these experiments. */
  keep(experiments: Iterable<Experiment>): Promise<void>;
}

export interface ExperimentsParts {
  readonly queue: Pick<LearnerQueue, 'change' | 'insist'>;
  /** The worlds of isolated arms. */
  readonly cohorts: Cohorts;
  /** Whether what is known of a user satisfies a filter; undefined: nothing is known of them. */
  readonly satisfies: (userId: string, filter: Expression) => boolean | undefined;
}

/** An experiment that has not ended, ready to be asked. */
interface Open {
  readonly experiment: Experiment;
  /** Undefined: it has the whole layer. */
  readonly inLayer: Owners | undefined;
  readonly arms: Owners;
  readonly layerSalt: string;
  /** "": the user. */
  readonly contextKey: string;
  readonly filter: Expression | undefined;
}

export class Experiments {
  readonly #parts: ExperimentsParts;
  #experiments: ReadonlyMap<string, Experiment> = new Map();
  /** In the order in which they were made: of several that a request is in, the first one answers it. */
  #open: readonly Open[] = [];
  #following: Promise<void> = Promise.resolve();
  /** How answers were served, by experiment and arm. */
  readonly #served = new Map<string, ServedArm[]>();

  constructor(parts: ExperimentsParts, experiments: ReadonlyMap<string, Experiment> = new Map()) {
    this.#parts = parts;
    this.#settle(experiments);
  }

  get byName(): ReadonlyMap<string, Experiment> {
    return this.#experiments;
  }

  /** Those that have not ended. */
  get open(): Experiment[] {
    return this.#open.map(({ experiment }) => experiment);
  }

  /** Throws EXPERIMENT_NOT_FOUND. */
  require(name: string): Experiment {
    const experiment = this.#experiments.get(name);
    if (experiment) return experiment;
    throw experimentNotFound(name, this.#experiments.keys());
  }

  /** An arm as callers name it, by the key of its world; the key, where it is not known yet or any more. */
  armNamed(key: string): string {
    for (const experiment of this.#experiments.values())
      for (const [n, arm] of experiment.arms.entries())
        if (cohortKey(experiment, n) === key) return `${experiment.name}/${arm.name}`;
    return key;
  }

  /** Throws what the learner finds. */
  async change(change: Omit2<ExperimentChange>): Promise<ChangeAnswer & { readonly experiment: Experiment }> {
    const answer = await this.#parts.queue.change({ type: 'experiment', ...change } as ExperimentChange);
    if (answer.revision !== '') await this.#inTurn(() => this.#followOne(change.name, answer));
    return { ...answer, experiment: (answer.experiment ?? this.#experiments.get(change.name)) as Experiment };
  }

  /**
   * The oldest that has ended goes where the one to be made could not be kept besides. Throws EXPERIMENTS_FULL, and why it
   * cannot be made: then nothing goes.
   */
  async makeRoom(change: Omit2<Extract<ExperimentChange, { how: 'create' }>>): Promise<void> {
    const superfluous = this.#experiments.has(change.name) ? undefined : findSuperfluous(this.#experiments);
    if (!superfluous) return;
    await this.change({ ...change, validateOnly: true });
    await this.change({ how: 'drop', name: superfluous.name });
  }

  /** What holds from now on; `made`: the worlds of isolated arms that are new. */
  follow(experiments: ReadonlyMap<string, Experiment>, made: readonly CohortDescriptor[] = []): Promise<void> {
    return this.#inTurn(() => this.#follow(experiments, made));
  }

  #followOne(name: string, { experiment, cohorts }: ChangeAnswer): Promise<void> {
    const experiments = new Map(this.#experiments);
    if (experiment) experiments.set(name, experiment);
    else experiments.delete(name);
    return this.#follow(experiments, cohorts);
  }

  async #follow(experiments: ReadonlyMap<string, Experiment>, made: readonly CohortDescriptor[] = []): Promise<void> {
    const { cohorts } = this.#parts;
    await cohorts.add(made);
    this.#settle(experiments);
    await cohorts.keep(experiments.values());
  }

  /** What was decided is followed in the order in which it was: worlds are attached to in between. */
  #inTurn(step: () => Promise<void>): Promise<void> {
    const done = this.#following.then(step);
    this.#following = done.catch(() => {});
    return done;
  }

  #settle(experiments: ReadonlyMap<string, Experiment>): void {
    this.#experiments = experiments;
    this.#open = [...experiments.values()].filter(({ ended }) => !ended).map(prepare);
    for (const name of this.#served.keys())
      if (!this.#open.some(({ experiment }) => experiment.name === name)) this.#served.delete(name);
  }

  /** The arm that answers a request which names no model; undefined: none. */
  assign(requester: Requester, nowMs: number): Assignment | undefined {
    if (this.#open.length === 0) return undefined;
    for (const open of this.#open) {
      const { experiment, contextKey, inLayer, filter } = open;
      if (!isRunning(experiment, nowMs)) continue;
      const unit = contextKey === '' ? requester.userId : (requester.context[contextKey] ?? '');
      if (unit === '' || (inLayer && inLayer.find(pointOf(open.layerSalt, unit)) !== 0)) continue;
      if (filter && !this.#isEligible(requester.userId, filter)) continue;
      const index = experiment.learningScope === 'shadow' ? 0 : open.arms.find(pointOf(experiment.salt, unit));
      if (index >= 0) return { experiment, index, arm: experiment.arms[index], unit };
    }
    return undefined;
  }

  /** An arm has answered, in so many milliseconds; or it failed, so that another model answered, or none. */
  serve({ experiment: { name, guardRails }, index }: Assignment, ms: number, isFailure: boolean): void {
    if (guardRails.length === 0) return;
    const arms = this.#served.get(name) ?? [];
    if (arms.length === 0) this.#served.set(name, arms);
    arms[index] ??= new ServedArm();
    arms[index].record(ms, isFailure);
  }

  /** By arm, as far as this process has seen it answer. */
  servedOf(name: string): readonly (ServedArm | undefined)[] {
    return this.#served.get(name) ?? [];
  }

  #isEligible(userId: string, filter: Expression): boolean {
    const found = userId === '' ? undefined : this.#parts.satisfies(userId, filter);
    return found ?? matchesNothingKnown(filter);
  }
}

/** Of each member of a union. */
type Omit2<Change> = Change extends unknown ? Omit<Change, 'type'> : never;

const CONTEXT_PREFIX = 'context.';

function prepare(experiment: Experiment): Open {
  const { layer, layerSlices, arms, unit, eligibleFilter } = experiment;
  return {
    experiment,
    inLayer: sizeOf(layerSlices) === POINTS ? undefined : new Owners([layerSlices]),
    arms: new Owners(arms.map(({ slices }) => slices)),
    layerSalt: layerSalt(layer),
    contextKey: unit.startsWith(CONTEXT_PREFIX) ? unit.slice(CONTEXT_PREFIX.length) : '',
    filter: parseFilter(eligibleFilter, 'experiment.eligible_filter'),
  };
}
