import type { Jobs } from '../jobs/jobs.ts';
import type { Gate } from '../serving/serving.ts';
import type { CallTelemetry } from './call-telemetry.ts';
import { catalogService } from './catalog-service.ts';
import { experimentService } from './experiment-service.ts';
import { importService } from './import-service.ts';
import type { Limits } from './limits.ts';
import { modelService } from './model-service.ts';
import type { RateStream } from './rate.ts';
import { recommenderService } from './recommender-service.ts';
import type { ServedService } from './service.ts';
import { userService } from './user-service.ts';

/** Every service of the contract. */
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
    experimentService(gate, limits, telemetry, jobs),
  ];
}
