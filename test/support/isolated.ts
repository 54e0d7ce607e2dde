import type { Experiment } from '../../proto/gen/accrete/v1/experiment.ts';
import { GetModelRequest, LearningScope, ModelServiceService } from '../../proto/gen/accrete/v1/model.ts';
import type { DeepPartial } from '../../proto/gen/accrete/v1/rating.ts';
import type { Client } from './client.ts';
import { createExperiment } from './experiments.ts';

/** What tests of isolated arms ask. */

export function createIsolated(
  client: Client,
  arms: readonly (readonly [name: string, model: string])[],
  more: { readonly experiment?: DeepPartial<Experiment>; readonly validateOnly?: boolean } = {},
) {
  const experiment = {
    name: 'trial',
    learningScope: LearningScope.LEARNING_SCOPE_ISOLATED,
    arms: arms.map(([name, model]) => ({ name, model, weight: 1 })),
    ...more.experiment,
  };
  return createExperiment(client, experiment, more.validateOnly);
}

/** What an arm has of its model, or of another one. */
export function getOfArm(client: Client, arm: string, name = '', experiment = 'trial') {
  return client.call(ModelServiceService.getModel, GetModelRequest.fromPartial({ name, arm: `${experiment}/${arm}` }));
}
