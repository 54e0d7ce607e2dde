import { loseArms } from '../experiments/losing.ts';
import { type Deployment, decide } from '../store/deployment.ts';
import type { CohortChoice } from '../teaching/cohort.ts';
import { cohortKey, cohortsKept, experimentsOf } from '../teaching/cohort-choices.ts';
import { hasCohort } from '../teaching/restore-cohort.ts';
import type { Plan } from './plan.ts';
import type { Base } from './starting-checkpoint.ts';

/**
 * Worlds of isolated arms that the checkpoint of a start does not have as their plugins make them now, while the journal no
 * longer has its first record: they cannot be made again. Their experiments say so, from a record of this start on.
 */

/** The worlds that a checkpoint should have, and has not. */
export function lostIn({ manifest }: Base, deployment: Pick<Deployment, 'experiments'>): CohortChoice[] {
  const wanted = cohortsKept(manifest.decided.experiments ?? [], experimentsOf(deployment));
  return wanted.filter((choice) => !hasCohort(manifest, choice));
}

/** The plan with what it has to write down of arms whose worlds are lost. `onLost` hears of each. */
export function noteLost(plan: Plan, base: Base, firstRevision: number, onLost: (why: string) => void): Plan {
  const lost = new Set(lostIn(base, plan.deployment).map(({ key }) => key));
  if (lost.size === 0) return plan;
  const why = `checkpoint ${base.manifest.revision} does not have it as the plugins of its models keep it now, and the journal begins at revision ${firstRevision}`;
  const experiments = experimentsOf(plan.deployment).flatMap((experiment) => {
    const { name, arms } = experiment;
    const isNew = (n: number) => lost.has(cohortKey(experiment, n)) && arms[n].lostReason === undefined;
    const numbers = arms.flatMap((_, n) => (isNew(n) ? [n] : []));
    for (const n of numbers)
      onLost(`the isolated arm ${name}/${arms[n].name} cannot go on: ${why}. Its figures are void`);
    if (numbers.length === 0) return [];
    return [{ type: 'experiment' as const, name, experiment: loseArms(experiment, numbers, why, Date.now()) }];
  });
  const deployment = experiments.reduce((before: Deployment, control) => decide(before, control), plan.deployment);
  return { ...plan, deployment, experiments };
}
