import {
  type CreateExperimentRequest,
  CreateExperimentResponse,
  ExperimentServiceService,
  type GetExperimentRequest,
  GetExperimentResponse,
  type ListExperimentsRequest,
  ListExperimentsResponse,
  type PromoteArmRequest,
  PromoteArmResponse,
  type StopExperimentRequest,
  StopExperimentResponse,
  type UpdateExperimentRequest,
  UpdateExperimentResponse,
} from '../../proto/gen/accrete/v1/experiment.ts';
import type { Jobs } from '../jobs/jobs.ts';
import type { Gate } from '../serving/serving.ts';
import type { CallTelemetry } from './call-telemetry.ts';
import { fieldsOf, wantedOf } from './experiment-fields.ts';
import { experimentMessage, planMessage, reportMessage } from './experiment-message.ts';
import { Fields } from './fields.ts';
import type { Limits } from './limits.ts';
import { pageLatestFirst } from './name-pages.ts';
import { promoteArm } from './promote-arm.ts';
import { type Rules, type ServedService, serveMethods, unary } from './service.ts';

const RULES: Rules<typeof ExperimentServiceService> = {
  createExperiment: 'admin',
  updateExperiment: 'admin',
  getExperiment: 'read',
  listExperiments: 'read',
  stopExperiment: 'admin',
  promoteArm: 'admin',
};

/** ExperimentService: A/B tests of models on live traffic. */
export function experimentService(gate: Gate, limits: Limits, telemetry: CallTelemetry, jobs: Jobs): ServedService {
  const methods = {
    createExperiment: unary(CreateExperimentResponse, async (request: CreateExperimentRequest, call) => {
      const serving = await gate.enter(() => call.signal);
      const wanted = wantedOf(request.experiment);
      const { validateOnly } = request;
      const { experiments, experimentReports } = serving;
      const change = { how: 'create', name: wanted.name, wanted, validateOnly } as const;
      if (!validateOnly) await experiments.makeRoom(change);
      const { experiment, cohortBytes: bytes = 0 } = await experiments.change(change);
      const plan = await experimentReports.plan(experiment, experiments.byName.values());
      return { experiment: experimentMessage(experiment), plan: planMessage({ ...plan, bytes }) };
    }),
    updateExperiment: unary(UpdateExperimentResponse, async (request: UpdateExperimentRequest, call) => {
      const { experiments } = await gate.enter(() => call.signal);
      const { validateOnly } = request;
      const name = nameOf('experiment.name', request.experiment?.name ?? '');
      const before = experiments.require(name);
      const { wanted, fields } = fieldsOf(request, before);
      const change = { how: 'update', name, wanted, fields, validateOnly } as const;
      const { experiment, movedShare = 0 } = await experiments.change(change);
      return { experiment: experimentMessage(experiment), movedShare };
    }),
    getExperiment: unary(GetExperimentResponse, async (request: GetExperimentRequest, call) => {
      const { experiments, experimentReports } = await gate.enter(() => call.signal);
      const experiment = experiments.require(nameOf('name', request.name));
      return {
        experiment: experimentMessage(experiment),
        report: reportMessage(await experimentReports.report(experiment), experimentReports.historyOf(experiment)),
      };
    }),
    listExperiments: unary(ListExperimentsResponse, async (request: ListExperimentsRequest, call) => {
      const { experiments } = await gate.enter(() => call.signal);
      const { entries, nextPageToken } = pageLatestFirst('ListExperiments', experiments.byName, request, limits);
      return { experiments: entries.map(experimentMessage), nextPageToken };
    }),
    stopExperiment: unary(StopExperimentResponse, async (request: StopExperimentRequest, call) => {
      const { experiments } = await gate.enter(() => call.signal);
      const name = nameOf('name', request.name);
      experiments.require(name);
      const change = { how: 'stop', name, reason: 'it was stopped by a call' } as const;
      return { experiment: experimentMessage((await experiments.change(change)).experiment) };
    }),
    promoteArm: unary(PromoteArmResponse, async (request: PromoteArmRequest, call) =>
      promoteArm(request, await gate.enter(() => call.signal), jobs, call.signal),
    ),
  };
  return serveMethods(ExperimentServiceService, RULES, methods, telemetry);
}

function nameOf(field: string, name: string): string {
  const fields = new Fields();
  fields.name(field, name);
  fields.check();
  return name;
}
