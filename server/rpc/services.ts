import { ExperimentServiceService } from '../../proto/gen/accrete/v1/experiment.ts';
import type { Jobs } from '../jobs/jobs.ts';
import type { Gate } from '../serving/serving.ts';
import type { CallTelemetry } from './call-telemetry.ts';
import { catalogService } from './catalog-service.ts';
import { importService } from './import-service.ts';
import type { Limits } from './limits.ts';
import { modelService } from './model-service.ts';
import type { RateStream } from './rate.ts';
import { recommenderService } from './recommender-service.ts';
import { type Rules, type ServedService, serveMethods } from './service.ts';
import { userService } from './user-service.ts';

const EXPERIMENT_RULES: Rules<typeof ExperimentServiceService> = {
  createExperiment: 'admin',
  updateExperiment: 'admin',
  getExperiment: 'read',
  listExperiments: 'read',
  stopExperiment: 'admin',
  promoteArm: 'admin',
};

/** Every service of the contract. Of the last one no method works yet: they answer UNIMPLEMENTED. */
export function allServices(
  gate: Gate,
  limits: Limits,
  telemetry: CallTelemetry,
  streams: Set<RateStream>,
  jobs: Jobs,
): ServedService[] {
  return [
    recommenderService(gate, limits, telemetry, streams, jobs),
    modelService(gate, limits, telemetry, jobs),
    userService(gate, limits, telemetry, jobs),
    catalogService(gate, limits, telemetry),
    importService(gate, limits, telemetry),
    serveMethods(ExperimentServiceService, EXPERIMENT_RULES, {}, telemetry),
  ];
}
