import { AccreteError, invalidField } from '../errors.ts';
import type { ExperimentChange } from '../exchange/messages.ts';
import type { Arena } from '../memory/arena.ts';
import type { Deployment } from '../store/deployment.ts';
import { type Experiment, isToBeIsolated } from '../store/experiment.ts';
import type { Classroom } from '../teaching/classroom.ts';
import type { Classrooms } from '../teaching/classrooms.ts';
import { cohortsOf, experimentsOf } from '../teaching/cohort-choices.ts';
import type { Examined } from './examined.ts';

/** What it takes to isolate the arms of experiments: told, and taken, before that is decided. */

export interface CohortIntakeParts {
  readonly classrooms: Classrooms;
  readonly arena: Arena;
  /** Ratings of the largest batch. */
  readonly ratingsMax: number;
}

const MIB = 2 ** 20;

/**
 * Makes the worlds of arms that an experiment has once the change is decided, if they fit beside what one more batch of ratings
 * may ask for: so no record that is written ever fails. Throws INVALID_FIELD, MEMORY_FULL, and then nothing has changed.
 */
export function withCohorts(
  change: ExperimentChange,
  examined: Examined,
  deployment: Deployment,
  { classrooms, arena, ratingsMax }: CohortIntakeParts,
): Examined {
  const { experiment } = examined;
  if (experiment?.learningScope !== 'isolated' || experiment.ended) return examined;
  requireIsolable(experiment);
  const isToCome = isToBeIsolated(experiment);
  // What others held a moment ago may be free.
  classrooms.collect();
  const others = experimentsOf(deployment).filter(({ name }) => name !== experiment.name);
  // One that is to begin later is planned as if it began now.
  const choices = cohortsOf([...others, { ...experiment, ...(isToCome && { isolatedMs: 0 }) }]);
  const cohortBytes = classrooms.copyBytes(choices);
  if (cohortBytes === 0) return examined;
  const batchBytes = ({ world, teacher }: Classroom) =>
    world.growthBytes(ratingsMax, ratingsMax) + teacher.growthBytes(ratingsMax);
  const need = (bytes: number) => bytes + classrooms.growthBytes(batchBytes);
  if (need(cohortBytes) > arena.freeExtentBytes) throw noRoom(experiment, cohortBytes, arena);
  if (isToCome || change.validateOnly || !examined.record) return { ...examined, cohortBytes };
  const made = classrooms.prepare(choices);
  const bytes = made.reduce((sum, cohort) => sum + cohort.bytes, 0);
  if (need(made.reduce((sum, cohort) => sum + cohort.growthBytes(batchBytes(cohort)), 0)) > arena.freeBytes) {
    classrooms.abandon();
    throw noRoom(experiment, bytes, arena);
  }
  return { ...examined, cohortBytes: bytes, cohorts: made.map(({ descriptor }) => descriptor) };
}

/** Ratings name users, and nothing else. */
function requireIsolable({ unit, eligibleFilter, allocation }: Experiment): void {
  if (allocation === 'interleave')
    throw invalidField(
      'experiment.allocation',
      'is INTERLEAVE: users of one list would teach both arms, so ISOLATED arms have lists of their own',
    );
  if (unit !== 'user')
    throw invalidField(
      'experiment.unit',
      'is not "user": ratings are learned by the arm of their user, so ISOLATED arms have no other unit',
    );
  if (eligibleFilter !== '')
    throw invalidField(
      'experiment.eligible_filter',
      'is set, and what is known of users may change: ISOLATED arms take users by their ids alone',
    );
}

function noRoom({ name }: Experiment, bytes: number, arena: Arena): AccreteError {
  const [held, free] = [bytes, arena.freeExtentBytes].map((each) => Math.ceil(each / MIB));
  const message = `The isolated arms of experiment ${name} hold ${held} MiB, which do not fit beside the ratings to come (${free} MiB are free): unload a model, raise memory.budgetMiB and start again, or let the arms share what they learn`;
  return new AccreteError('MEMORY_FULL', message, { metadata: { experiment: name, bytes: String(bytes) } });
}
