import {
  CreateExperimentRequest,
  type CreateExperimentResponse,
  ExperimentServiceService,
} from '../../proto/gen/accrete/v1/experiment.ts';
import { GetModelRequest, LearningScope, ModelServiceService } from '../../proto/gen/accrete/v1/model.ts';
import type { DeepPartial } from '../../proto/gen/accrete/v1/rating.ts';
import type { Client } from './client.ts';

/** What tests of isolated arms ask. */

export function createIsolated(
  client: Client,
  arms: readonly (readonly [name: string, model: string])[],
  more: DeepPartial<CreateExperimentRequest> = {},
): Promise<CreateExperimentResponse> {
  const experiment = {
    name: 'trial',
    learningScope: LearningScope.LEARNING_SCOPE_ISOLATED,
    arms: arms.map(([name, model]) => ({ name, model, weight: 1 })),
    ...more.experiment,
  };
  const request = CreateExperimentRequest.fromPartial({ ...more, experiment });
  return client.call(ExperimentServiceService.createExperiment, request);
}

export const stopExperiment = (client: Client, name = 'trial') =>
  client.call(ExperimentServiceService.stopExperiment, { name });

/** What an arm has of its model, or of another one. */
export function getOfArm(client: Client, arm: string, name = '', experiment = 'trial') {
  return client.call(ModelServiceService.getModel, GetModelRequest.fromPartial({ name, arm: `${experiment}/${arm}` }));
}
