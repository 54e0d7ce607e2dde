import { type CreateCheckpointRequest, CreateCheckpointResponse } from '../../proto/gen/accrete/v1/checkpoint.ts';
import {
  type GetModelRequest,
  GetModelResponse,
  LearningScope,
  type ListModelsRequest,
  ListModelsResponse,
  type LoadModelRequest,
  LoadModelResponse,
  ModelServiceService,
  type RollbackModelRequest,
  RollbackModelResponse,
  type SetDefaultModelRequest,
  SetDefaultModelResponse,
  type UnloadModelRequest,
  UnloadModelResponse,
} from '../../proto/gen/accrete/v1/model.ts';
import { type TuneModelRequest, TuneModelResponse } from '../../proto/gen/accrete/v1/tuning.ts';
import type { Jobs } from '../jobs/jobs.ts';
import { revisionText } from '../memory/revisions.ts';
import { requireInputs } from '../models/input-rules.ts';
import { isInstalled, resolveModels } from '../models/plugins.ts';
import type { CohortView } from '../serving/cohort-views.ts';
import type { ModelEntry } from '../serving/model-directory.ts';
import type { Gate, Serving } from '../serving/serving.ts';
import type { CallTelemetry } from './call-telemetry.ts';
import { exportCheckpointMethod } from './export-checkpoint.ts';
import { exportModelMethod } from './export-model.ts';
import { Fields, requireModelName } from './fields.ts';
import { requireFusable, requirePeriod, requireSources } from './fusion-period.ts';
import { historyMessage } from './history-message.ts';
import { importModelMethod } from './import-model.ts';
import type { Limits } from './limits.ts';
import { describeModel, timestampOf } from './model-message.ts';
import { pageByName } from './name-pages.ts';
import { rollbackModel } from './rollback-model.ts';
import { scenarioMethods } from './scenario-methods.ts';
import { type CallContext, type Rules, type ServedService, serveMethods, stream, unary } from './service.ts';
import { tuneModel } from './tune.ts';

const RULES: Rules<typeof ModelServiceService> = {
  listModels: 'read',
  getModel: 'read',
  loadModel: 'admin',
  unloadModel: 'admin',
  rollbackModel: 'admin',
  setDefaultModel: 'admin',
  createCheckpoint: 'admin',
  exportCheckpoint: 'admin',
  exportModel: 'read',
  importModel: 'admin',
  tuneModel: 'admin',
  putScenario: 'admin',
  listScenarios: 'read',
  deleteScenario: 'admin',
};

/** ModelService: what is loaded, how it does, and its hashes; models that come and go; scenarios. */
export function modelService(gate: Gate, limits: Limits, telemetry: CallTelemetry, jobs: Jobs): ServedService {
  const enter = (call: CallContext) => gate.enter(() => call.signal);
  const methods = {
    listModels: unary(ListModelsResponse, async (request: ListModelsRequest, call) =>
      listModels(request, await enter(call), limits),
    ),
    getModel: unary(GetModelResponse, async (request: GetModelRequest, call) => getModel(request, await enter(call))),
    loadModel: unary(LoadModelResponse, async (request: LoadModelRequest, call) =>
      loadModel(request, await enter(call), limits, call.signal),
    ),
    unloadModel: unary(UnloadModelResponse, async (request: UnloadModelRequest, call) =>
      unloadModel(request, await enter(call)),
    ),
    rollbackModel: unary(RollbackModelResponse, async (request: RollbackModelRequest, call) =>
      rollbackModel(request, await enter(call), jobs, call.signal),
    ),
    setDefaultModel: unary(SetDefaultModelResponse, async (request: SetDefaultModelRequest, call) =>
      setDefaultModel(request, await enter(call)),
    ),
    createCheckpoint: unary(CreateCheckpointResponse, async (_request: CreateCheckpointRequest, call) =>
      createCheckpoint(await enter(call)),
    ),
    exportCheckpoint: exportCheckpointMethod(gate, jobs),
    exportModel: exportModelMethod(gate, jobs),
    importModel: importModelMethod(gate),
    tuneModel: stream(TuneModelResponse, async function* (request: TuneModelRequest, call) {
      yield* tuneModel(request, await gate.enter(() => call.signal), jobs, call.signal);
    }),
    ...scenarioMethods(enter, limits),
  };
  return serveMethods(ModelServiceService, RULES, methods, telemetry);
}

function listModels(request: ListModelsRequest, serving: Serving, limits: Limits): ListModelsResponse {
  const all = new Map([...serving.directory.entries].map((entry) => [entry.choice.name, entry]));
  const { entries, nextPageToken } = pageByName('ListModels', all, request, limits);
  return { models: entries.map((entry) => describeModel(entry, serving)), nextPageToken };
}

async function getModel(request: GetModelRequest, served: Serving): Promise<GetModelResponse> {
  const cohort = requireCohort(request, served);
  const serving = cohort ? { ...served, directory: cohort.directory } : served;
  const { directory } = serving;
  const name = cohort && request.name === '' ? directory.defaultName : request.name;
  requireModelName(name, directory.names);
  const entry = directory.requireEntry(name);
  const describe = (each: ModelEntry) => ({ ...describeModel(each, serving), history: historyMessage(each.decided) });
  if (!entry.model) return { model: describe(entry), hash: '', hashes: undefined };
  const hashes = await serving.hashes(name, cohort?.key);
  // It may have ended meanwhile: then nothing of it is read any more.
  if (cohort) requireCohort(request, served);
  const model = describe(directory.requireEntry(name));
  return {
    model: {
      ...model,
      version: hashes.version,
      revision: revisionText(hashes.revision),
      tables: model.tables.map((table) => ({ ...table, hash: hashes.tables[table.name] ?? '' })),
    },
    hash: hashes.all,
    hashes: { tables: hashes.model, ...hashes.world, experiments: hashes.world.ledger },
  };
}

/** The world of an arm that is named; undefined: none is. Throws EXPERIMENT_NOT_FOUND, INVALID_FIELD. */
function requireCohort({ arm: named }: GetModelRequest, { experiments, cohorts }: Serving): CohortView | undefined {
  if (named === '') return undefined;
  const fields = new Fields();
  const [name, arm = ''] = named.split('/');
  const experiment = experiments.require(name);
  const index = experiment.arms.findIndex((each) => each.name === arm);
  const names = experiment.arms.map((each) => `${name}/${each.name}`).join(', ');
  if (index < 0) fields.refuse('arm', `is no arm of experiment ${name}: it has ${names}`);
  const cohort = cohorts.find({ experiment, index });
  if (index >= 0 && !cohort)
    fields.refuse('arm', 'has no world of its own: only ISOLATED arms do, until they end; leave it out');
  fields.check();
  return cohort;
}

const PLUGIN_LENGTH_MAX = 1024;

async function loadModel(
  request: LoadModelRequest,
  serving: Serving,
  { anyPlugin }: Limits,
  signal: AbortSignal,
): Promise<LoadModelResponse> {
  const { name, plugin, config = {}, learningScope, validateOnly, fusePeriod } = request;
  const fields = new Fields();
  const shadow = shadowIn(learningScope, fields);
  fields.name('name', name);
  if (plugin === '') fields.refuse('plugin', 'is empty: send the name of a plugin, a path or a package');
  if (plugin.length > PLUGIN_LENGTH_MAX) fields.refuse('plugin', `is longer than ${PLUGIN_LENGTH_MAX} characters`);
  if (!anyPlugin && !isInstalled(plugin))
    fields.refuse('plugin', 'is not the name of a plugin of this server: a namespace takes no paths and no packages');
  fields.check();
  const fuse = fusePeriod && requirePeriod(fusePeriod, name);
  const [resolved] = await resolveModels([{ name, plugin, config }], () => '');
  const { modelChanges, directory } = serving;
  if (fuse) {
    requireFusable(resolved, fuse);
    requireSources(fuse, directory);
  }
  requireInputs([resolved], directory.names, () => '');
  const load = async () => {
    await modelChanges.load(resolved, shadow);
    if (shadow !== undefined) await modelChanges.setShadow(name, shadow);
    if (fusePeriod) await modelChanges.schedule(name, fuse);
  };
  await unlessAborted(validateOnly ? modelChanges.examine(resolved) : load(), signal);
  const entry = directory.find(name) ?? { choice: resolved.spec, state: 'START', reason: '' };
  return { model: describeModel(entry, serving) };
}

/** Undefined: as it was. */
function shadowIn(scope: LearningScope, fields: Fields): boolean | undefined {
  switch (scope) {
    case LearningScope.LEARNING_SCOPE_UNSPECIFIED:
      return undefined;
    case LearningScope.LEARNING_SCOPE_SHARED:
      return false;
    case LearningScope.LEARNING_SCOPE_SHADOW:
      return true;
    default:
      fields.refuse('learning_scope', 'is not SHARED or SHADOW: ISOLATED models are those of arms of an experiment');
      return undefined;
  }
}

/** Waits for `work`, which goes on when the caller no longer waits. */
async function unlessAborted(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  const aborted = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  await Promise.race([work, aborted]);
}

async function unloadModel({ name, version }: UnloadModelRequest, serving: Serving): Promise<UnloadModelResponse> {
  requireModelName(name, serving.directory.names);
  const { modelChanges } = serving;
  const left = await (version === '' ? modelChanges.unload(name) : modelChanges.dropVersion(name, version));
  return { model: describeModel(left, serving) };
}

async function setDefaultModel({ name }: SetDefaultModelRequest, serving: Serving): Promise<SetDefaultModelResponse> {
  requireModelName(name, serving.directory.names);
  const previousName = await serving.modelChanges.setDefault(name);
  return { model: describeModel(serving.directory.requireEntry(name), serving), previousName };
}

async function createCheckpoint({ checkpoints }: Serving): Promise<CreateCheckpointResponse> {
  const { revision, createdMs, bytes, durationMs } = await checkpoints.create();
  return {
    checkpoint: {
      name: revisionText(revision),
      revision: revisionText(revision),
      createTime: timestampOf(createdMs),
      bytes: BigInt(bytes),
      duration: { seconds: BigInt(Math.floor(durationMs / 1000)), nanos: Math.floor((durationMs % 1000) * 1e6) },
    },
  };
}
