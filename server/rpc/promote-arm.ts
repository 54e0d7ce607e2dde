import type { PromoteArmRequest, PromoteArmResponse } from '../../proto/gen/accrete/v1/experiment.ts';
import type { GuardDecision } from '../../proto/gen/accrete/v1/fuse.ts';
import { requireArm, requireOpen } from '../experiments/making.ts';
import type { Examined } from '../jobs/fuse/contest.ts';
import { MARGIN_DEFAULT } from '../jobs/fuse/decision.ts';
import { requireLoss } from '../jobs/fuse/window-figures.ts';
import type { Jobs } from '../jobs/jobs.ts';
import { specOf } from '../models/model-spec.ts';
import type { Serving } from '../serving/serving.ts';
import { servingInputs } from '../serving/serving-inputs.ts';
import { type LoadedModel, versionOf } from '../store/control.ts';
import { experimentMessage } from './experiment-message.ts';
import { Fields } from './fields.ts';
import { decisionMessage } from './fuse.ts';
import { requireLearning, taskOf } from './fuse-sources.ts';
import { type AskedGuard, guardOf } from './guard-terms.ts';

/** ExperimentService.PromoteArm: the guard judges an arm's model against the default one; if it passes it takes its place. */
export async function promoteArm(
  request: PromoteArmRequest,
  serving: Serving,
  jobs: Jobs,
  signal: AbortSignal,
): Promise<PromoteArmResponse> {
  const { experiments, directory } = serving;
  const { validateOnly } = request;
  const guard = check(request);
  const experiment = experiments.require(request.name);
  requireOpen(experiment);
  const arm = requireArm(experiment, request.arm);
  const { defaultName } = directory;
  const work = async (): Promise<PromoteArmResponse> => {
    const examined = await judge(arm.model, guard, serving, jobs, signal);
    const decision = examined ? decisionMessage(examined) : SAME;
    const answer = { experiment: experimentMessage(experiment), promoted: false, decision, previousModel: defaultName };
    if (validateOnly || !decision.passed) return answer;
    const reason = `arm ${arm.name} was promoted: ${decision.reason}`;
    const { experiment: ended } = await experiments.change({
      how: 'promote',
      name: request.name,
      arm: arm.name,
      over: defaultName,
      reason,
    });
    directory.defaultName = arm.model;
    directory.amend(arm.model, { shadow: false });
    return { ...answer, experiment: experimentMessage(ended), promoted: true };
  };
  if (arm.model === defaultName) return work();
  // Neither may change while both are judged.
  return directory.change(defaultName, () => directory.change(arm.model, work));
}

const SAME: GuardDecision = {
  passed: true,
  reason: 'its model is the default model already',
  difference: undefined,
  margin: 0,
  marginLeft: 0,
};

function check({ name, arm, guard }: PromoteArmRequest): AskedGuard {
  const fields = new Fields();
  fields.name('name', name);
  fields.name('arm', arm);
  const asked = guardOf(guard, MARGIN_DEFAULT, fields);
  fields.check();
  requireLoss(asked.metric);
  return asked;
}

/** Undefined: there is nothing to judge, since it is the default model itself. Throws MODEL_FAILED, and what the job throws. */
async function judge(
  name: string,
  guard: AskedGuard,
  { directory, liveRatings }: Serving,
  jobs: Jobs,
  signal: AbortSignal,
): Promise<Examined | undefined> {
  if (name === directory.defaultName) return undefined;
  const live = requireLearning(directory.require(directory.defaultName));
  const other = requireLearning(directory.require(name));
  const decided = directory.requireEntry(live.name).decided as LoadedModel;
  const { version, from } = versionOf(decided);
  const task = {
    key: { name: live.name, version, loadedMs: decided.loadedMs, from },
    live: specOf(live),
    other: taskOf('arm', other, directory),
    inputs: servingInputs([live, other], directory),
    descriptor: live.descriptor,
    rendezvous: 0,
    options: { seed: 0 },
    guard: { ...guard, seed: 0, spent: 0 },
    liveRatings: liveRatings(),
    validateOnly: true,
    rival: name,
  };
  let examined: Examined | undefined;
  for await (const step of jobs.run('compare', task, signal))
    if (step.type === 'item' && step.item.type === 'examined') examined = step.item;
  if (!examined) throw new Error('the job did not say what the guard has found');
  return examined;
}
