import {
  type GetModelRequest,
  GetModelResponse,
  LearningScope,
  type ListModelsRequest,
  ListModelsResponse,
  ModelServiceService,
  ModelState,
  type Model as WireModel,
} from '../../proto/gen/accrete/v1/model.ts';
import { revisionText } from '../memory/revisions.ts';
import type { Model } from '../models/model.ts';
import type { Gate, Serving } from '../serving/serving.ts';
import type { CallTelemetry } from './call-telemetry.ts';
import { Fields } from './fields.ts';
import { metricRows } from './figures.ts';
import type { Limits } from './limits.ts';
import { type ServedService, serveMethods, unary } from './service.ts';

/** ModelService: what is loaded, how it does, and its hashes. */
export function modelService(gate: Gate, limits: Limits, telemetry: CallTelemetry): ServedService {
  const methods = {
    listModels: unary(ListModelsResponse, async (request: ListModelsRequest, call) =>
      listModels(request, await gate.enter(() => call.signal), limits),
    ),
    getModel: unary(GetModelResponse, async (request: GetModelRequest, call) =>
      getModel(request, await gate.enter(() => call.signal)),
    ),
  };
  return serveMethods(ModelServiceService, methods, telemetry);
}

const LIST_PAGE_SIZE = 100;

/** A page token is the name of the last model shown. */
function listModels({ pageSize, pageToken }: ListModelsRequest, serving: Serving, limits: Limits): ListModelsResponse {
  const fields = new Fields();
  const size = fields.pageSize(pageSize, LIST_PAGE_SIZE, limits.pageSize);
  const names = serving.directory.models.map((model) => model.name).sort();
  if (pageToken !== '' && !names.includes(pageToken))
    fields.refuse('page_token', 'is not one that this call gave: leave it empty for the first page');
  fields.check();
  const rest = names.filter((name) => name > pageToken);
  const page = rest.slice(0, size);
  return {
    models: page.map((name) => describe(serving.directory.require(name), serving)),
    nextPageToken: rest.length > size ? page[size - 1] : '',
  };
}

async function getModel({ name }: GetModelRequest, serving: Serving): Promise<GetModelResponse> {
  const fields = new Fields();
  if (name === '')
    fields.refuse('name', `is empty: send one of ${serving.directory.models.map((model) => model.name).join(', ')}`);
  fields.check();
  const known = serving.directory.require(name);
  const hashes = await serving.hashes(name);
  const model = describe(known, serving);
  return {
    model: {
      ...model,
      revision: revisionText(hashes.revision),
      tables: model.tables.map((table) => ({ ...table, hash: hashes.tables[table.name] ?? '' })),
    },
    hash: hashes.all,
    hashes: { tables: hashes.model, ...hashes.world },
  };
}

function describe(model: Model, { directory, revisions }: Serving): WireModel {
  const { descriptor, prequential } = model;
  const { quarantinedAt } = prequential;
  return {
    name: model.name,
    plugin: descriptor.plugin,
    state: quarantinedAt > 0 ? ModelState.MODEL_STATE_END : ModelState.MODEL_STATE_AVAILABLE,
    stateReason:
      quarantinedAt > 0
        ? `quarantined: its numbers were no longer finite, or it failed, at revision ${revisionText(quarantinedAt)}`
        : '',
    version: model.version,
    isDefault: model === directory.defaultModel,
    config: { ...descriptor.config },
    configHash: model.configHash,
    learningScope: LearningScope.LEARNING_SCOPE_SHARED,
    capabilities: model.capabilities,
    tables: model.sizes.map(({ name, rows, bytes }) => ({ name, rows: BigInt(rows), bytes: BigInt(bytes), hash: '' })),
    metrics: metricRows(model),
    revision: revisionText(quarantinedAt > 0 ? quarantinedAt : revisions.learned),
    exactFromRevision: revisionText(1),
    learnedCount: BigInt(prequential.events),
    progress: undefined,
    versions: [],
    loadTime: undefined,
  };
}
