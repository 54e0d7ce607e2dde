import type { Command } from 'commander';
import {
  GetModelRequest,
  GetModelResponse,
  ListModelsRequest,
  ListModelsResponse,
  type Model,
  ModelServiceService,
  modelStateToJSON,
} from '../../../proto/gen/accrete/v1/model.ts';
import type { Connection } from '../connection.ts';
import { formatBytes, formatCount, type Output, type Table } from '../output.ts';
import { withSession } from '../session.ts';
import { metricTable } from './evaluate.ts';

export function addModels(program: Command): void {
  program
    .command('models')
    .description('the models of a server; with a name: its state, settings, tables and hashes')
    .argument('[name]')
    .action((name: string | undefined, _options: unknown, command: Command) =>
      withSession(command, async ({ connection, output }) => {
        if (name === undefined) {
          const models = await listModels(connection);
          output.answer(ListModelsResponse.toJSON({ models, nextPageToken: '' }), () =>
            output.table(modelTable(models)),
          );
        } else {
          const answer = await connection.call(ModelServiceService.getModel, GetModelRequest.fromPartial({ name }));
          output.answer(GetModelResponse.toJSON(answer), () => printModel(answer, output));
        }
      }),
    );
}

async function listModels(connection: Connection): Promise<Model[]> {
  const models: Model[] = [];
  let pageToken = '';
  do {
    const page = await connection.call(ModelServiceService.listModels, ListModelsRequest.fromPartial({ pageToken }));
    models.push(...page.models);
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return models;
}

function modelTable(models: readonly Model[]): Table {
  return {
    columns: [
      { name: 'name' },
      { name: 'plugin' },
      { name: 'state' },
      { name: 'default' },
      { name: 'version' },
      { name: 'learned', align: 'right' },
      { name: 'memory', align: 'right' },
      { name: 'config' },
    ],
    rows: models.map((model) => [
      model.name,
      model.plugin,
      stateOf(model),
      model.isDefault ? 'yes' : 'no',
      model.version,
      formatCount(model.learnedCount),
      formatBytes(model.tables.reduce((sum, { bytes }) => sum + bytes, 0n)),
      model.configHash,
    ]),
  };
}

function printModel({ model, hash, hashes }: GetModelResponse, output: Output): void {
  if (!model) return;
  const facts = [
    ['name', model.name],
    ['plugin', model.plugin],
    ['state', [stateOf(model), model.stateReason].filter((text) => text !== '').join(': ')],
    ['default', model.isDefault ? 'yes' : 'no'],
    ['version', model.version],
    ['capabilities', model.capabilities.join(', ')],
    ['learned', formatCount(model.learnedCount)],
    ['revision', model.revision],
    ['config', JSON.stringify(model.config ?? {})],
    ['config hash', model.configHash],
    ['hash of all', hash],
    ['of tables', hashes?.tables ?? ''],
    ['of ids', hashes?.ids ?? ''],
    ['of interactions', hashes?.interactions ?? ''],
    ['of request ids', hashes?.requestIds ?? ''],
    ['of features', hashes?.features ?? ''],
  ];
  output.table({ columns: [{ name: 'fact' }, { name: 'value' }], rows: facts });
  output.line('');
  output.table(tablesOf(model));
  if (model.metrics.length === 0) return;
  output.line('');
  output.table(metricTable(model.metrics));
}

function tablesOf({ tables }: Model): Table {
  return {
    columns: [
      { name: 'table' },
      { name: 'rows', align: 'right' },
      { name: 'memory', align: 'right' },
      { name: 'hash' },
    ],
    rows: tables.map(({ name, rows, bytes, hash }) => [name, formatCount(rows), formatBytes(bytes), hash]),
  };
}

/** MODEL_STATE_AVAILABLE as AVAILABLE. */
function stateOf({ state }: Model): string {
  return modelStateToJSON(state).replace('MODEL_STATE_', '');
}
