import {
  type DeepPartial,
  Experiment,
  type ExperimentReport,
  ExperimentServiceService,
  PromoteArmRequest,
  type UpdateExperimentResponse,
} from '../../proto/gen/accrete/v1/experiment.ts';
import type { Guard } from '../../proto/gen/accrete/v1/fuse.ts';
import type { RecommendRequest, RecommendResponse } from '../../proto/gen/accrete/v1/recommender.ts';
import type { Client } from './client.ts';

/** Calls of experiments, as tests make them. */

/** Of two arms with these models, half each. */
export const twoArms = (control: string, treatment: string): Experiment['arms'] =>
  Experiment.fromPartial({
    arms: [
      { name: 'control', model: control, weight: 1 },
      { name: 'treatment', model: treatment, weight: 1 },
    ],
  }).arms;

export async function createExperiment(client: Client, experiment: DeepPartial<Experiment>, validateOnly = false) {
  const request = { experiment: Experiment.fromPartial(experiment), validateOnly };
  return client.call(ExperimentServiceService.createExperiment, request);
}

export function updateExperiment(
  client: Client,
  experiment: DeepPartial<Experiment>,
  updateMask?: string[],
): Promise<UpdateExperimentResponse> {
  const request = { experiment: Experiment.fromPartial(experiment), updateMask, validateOnly: false };
  return client.call(ExperimentServiceService.updateExperiment, request);
}

export function getExperiment(client: Client, name: string) {
  return client.call(ExperimentServiceService.getExperiment, { name });
}

export function stopExperiment(client: Client, name: string) {
  return client.call(ExperimentServiceService.stopExperiment, { name });
}

export function promoteArm(
  client: Client,
  name: string,
  arm: string,
  validateOnly = false,
  guard?: DeepPartial<Guard>,
) {
  const request = PromoteArmRequest.fromPartial({ name, arm, guard, validateOnly });
  return client.call(ExperimentServiceService.promoteArm, request);
}

/** Its report, once that is as it should be. */
export async function reportOnce(
  client: Client,
  isSo: (report: ExperimentReport) => boolean,
  name = 'first',
): Promise<ExperimentReport> {
  for (;;) {
    const { report } = await getExperiment(client, name);
    if (report && isSo(report)) return report;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Its report, once that has so many exposures. */
export function reportWith(client: Client, name: string, exposures: number): Promise<ExperimentReport> {
  const countOf = ({ arms }: ExperimentReport) => arms.reduce((sum, arm) => sum + Number(arm.exposures), 0);
  return reportOnce(client, (report) => countOf(report) >= exposures, name);
}

/** Who of so many users is answered by which arm, and how. */
export async function askAll(
  client: Client,
  users: readonly string[],
  more: Partial<RecommendRequest> = {},
): Promise<Map<string, RecommendResponse>> {
  const answers = new Map<string, RecommendResponse>();
  for (const user of users) answers.set(user, await client.recommend(user, more));
  return answers;
}
