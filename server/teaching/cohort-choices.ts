import { Owners } from '../allocation/owners.ts';
import { layerSalt, pointOf } from '../allocation/point.ts';
import type { IdKey } from '../memory/ids.ts';
import type { Decided } from '../store/deployment.ts';
import { type Experiment, isToBeIsolated } from '../store/experiment.ts';
import type { CohortChoice } from './cohort.ts';

/** The worlds that experiments have for their arms: each arm of an isolated one that has not ended has one of its own. */
export function cohortsOf(experiments: Iterable<Experiment>): CohortChoice[] {
  return [...experiments].flatMap((experiment) => {
    if (!hasCohorts(experiment)) return [];
    const users = new Allotment(experiment);
    return experiment.arms.flatMap(({ model, stopReason }, n) =>
      stopReason === undefined
        ? [{ key: cohortKey(experiment, n), model, admits: (user: IdKey) => users.armOf(user) === n }]
        : [],
    );
  });
}

export function experimentsOf({ experiments }: Pick<Decided, 'experiments'>): Experiment[] {
  return [...(experiments?.values() ?? [])];
}

/** Those of `now` of which something is kept in the end, when `last` are the experiments: their figures, if not themselves. */
export function cohortsKept(now: Iterable<Experiment>, last: Iterable<Experiment>): CohortChoice[] {
  const kept = new Set([...last].map(({ number }) => number));
  return cohortsOf([...now].filter(({ number }) => kept.has(number)));
}

/** The models that isolated arms have, or had. */
export function modelsOfArms(experiments: Iterable<Experiment>): Set<string> {
  const isolated = [...experiments].filter(({ learningScope }) => learningScope === 'isolated');
  return new Set(isolated.flatMap(({ arms }) => arms.map(({ model }) => model)));
}

function hasCohorts(experiment: Experiment): boolean {
  const { learningScope, ended } = experiment;
  return learningScope === 'isolated' && ended === undefined && !isToBeIsolated(experiment);
}

/** What tells the world of an arm from others, for as long as there is a journal. */
export function cohortKey({ number }: Pick<Experiment, 'number'>, arm: number): string {
  return `${number}/${arm}`;
}

/** Users whose arm is remembered. */
const REMEMBERED_MAX = 65_536;

/** To which arm of an experiment users belong, by their ids alone. */
class Allotment {
  readonly #experiment: Experiment;
  readonly #layer: Owners;
  readonly #arms: Owners;
  readonly #remembered = new Map<string, number>();

  constructor(experiment: Experiment) {
    this.#experiment = experiment;
    this.#layer = new Owners([experiment.layerSlices]);
    this.#arms = new Owners(experiment.arms.map(({ slices }) => slices));
  }

  /** The number of the arm; -1: the user is in none. */
  armOf({ bytes, start, length }: IdKey): number {
    const user = Buffer.prototype.utf8Slice.call(bytes, start, start + length);
    const known = this.#remembered.get(user);
    if (known !== undefined) return known;
    const { salt, layer } = this.#experiment;
    const isIn = this.#layer.find(pointOf(layerSalt(layer), user)) === 0;
    const arm = isIn ? this.#arms.find(pointOf(salt, user)) : -1;
    if (this.#remembered.size >= REMEMBERED_MAX) this.#remembered.clear();
    this.#remembered.set(user, arm);
    return arm;
  }
}
