import type { Command } from 'commander';
import {
  GetModelRequest,
  GetModelResponse,
  ListModelsResponse,
  type Model,
  ModelServiceService,
} from '../../../proto/gen/accrete/v1/model.ts';
import { UsageError } from '../failure.ts';
import { historyTable } from '../history-table.ts';
import { metricTable } from '../metric-table.ts';
import { listModels, stateNameOf } from '../model-list.ts';
import { factTable, formatBytes, formatCount, formatDate, type Output, type Table } from '../output.ts';
import { describe, stateOf } from '../progress.ts';
import { EVERY_SECONDS, parseNumberOf, withSession } from '../session.ts';
import { watch } from '../watch.ts';
import { addDefault, addRollback, addUnload } from './models-change.ts';
import { addExport, addImport } from './models-files.ts';
import { addImports } from './models-imports.ts';
import { addLoad } from './models-load.ts';

const EXAMPLES = `
Examples:
  accrete models
  accrete models mf
  accrete models load mf-slow --plugin mf --config eta=0.1
  accrete models default mf-slow
  accrete models rollback mf
  accrete models export mf mf.safetensors
  accrete models import shard.safetensors
  accrete models imports
  accrete models --watch
`;

interface Options {
  readonly watch?: boolean;
  readonly every: number;
}

export function addModels(program: Command): void {
  const models = program
    .command('models')
    .description('the models of a server; with a name: its state, settings, tables, hashes, versions and history')
    .argument('[name]')
    .option('--watch', 'show states and progress again and again, until Ctrl-C')
    .option('--every <seconds>', 'how often --watch looks', parseNumberOf(EVERY_SECONDS), 1)
    .addHelpText('after', EXAMPLES)
    .action((name: string | undefined, options: Options, command: Command) => {
      if (name !== undefined && options.watch) throw new UsageError('--watch shows all models: leave the name out');
      return withSession(command, async ({ connection, output }) => {
        if (name !== undefined) {
          const answer = await connection.call(ModelServiceService.getModel, GetModelRequest.fromPartial({ name }));
          output.answer(GetModelResponse.toJSON(answer), () => printModel(answer, output));
        } else if (options.watch) await watch(output, options.every, async () => sightOf(await listModels(connection)));
        else {
          const found = await listModels(connection);
          output.answer(ListModelsResponse.toJSON({ models: found, nextPageToken: '' }), () =>
            output.table(modelTable(found)),
          );
        }
      });
    });
  addLoad(models);
  addUnload(models);
  addRollback(models);
  addDefault(models);
  addExport(models);
  addImport(models);
  addImports(models);
}

function sightOf(models: readonly Model[]) {
  const time = new Date().toISOString();
  const document = { time, ...(ListModelsResponse.toJSON({ models: [...models], nextPageToken: '' }) as object) };
  return { document, heading: `${time}  models`, table: modelTable(models) };
}

function modelTable(models: readonly Model[]): Table {
  const remarks = models.map(remarkOf);
  const hasRemarks = remarks.some((remark) => remark !== '');
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
      ...(hasRemarks ? [{ name: 'remark' }] : []),
    ],
    rows: models.map((model, n) => [
      model.name,
      model.plugin,
      stateNameOf(model),
      model.isDefault ? 'yes' : 'no',
      model.version,
      formatCount(model.learnedCount),
      formatBytes(model.tables.reduce((sum, { bytes }) => sum + bytes, 0n)),
      model.configHash,
      ...(hasRemarks ? [remarks[n]] : []),
    ]),
  };
}

/** How far loading has come, or why it is in its state. */
function remarkOf({ progress, stateReason }: Model): string {
  if (!progress) return stateReason;
  return describe(stateOf(progress, 0));
}

function printModel({ model, hash, hashes }: GetModelResponse, output: Output): void {
  if (!model) return;
  const facts = [
    ['name', model.name],
    ['plugin', model.plugin],
    ['state', [stateNameOf(model), remarkOf(model)].filter((text) => text !== '').join(': ')],
    ['default', model.isDefault ? 'yes' : 'no'],
    ['version', model.version],
    ['capabilities', model.capabilities.join(', ')],
    ['learned', formatCount(model.learnedCount)],
    ['revision', model.revision],
    ['exact from', model.exactFromRevision],
    ['fused every', periodOf(model)],
    ['config', JSON.stringify(model.config ?? {})],
    ['config hash', model.configHash],
    ['hash of all', hash],
    ['of tables', hashes?.tables ?? ''],
    ['of ids', hashes?.ids ?? ''],
    ['of interactions', hashes?.interactions ?? ''],
    ['of request ids', hashes?.requestIds ?? ''],
    ['of experiments', hashes?.experiments ?? ''],
    ['of features', hashes?.features ?? ''],
  ] as const;
  output.table(factTable(facts));
  output.line('');
  output.table(tablesOf(model));
  if (model.versions.length > 1) {
    output.line('');
    output.table(versionTable(model));
  }
  if (model.history.length > 0) {
    output.line('');
    output.table(historyTable(model.history));
  }
  if (model.metrics.length === 0) return;
  output.line('');
  output.table(metricTable(model.metrics));
}

/** When the server fuses it by itself. */
function periodOf({ fusePeriod }: Model): string {
  if (!fusePeriod) return '';
  const { everyEvents, every } = fusePeriod;
  const events = everyEvents > 0n ? [`${formatCount(everyEvents)} learned`] : [];
  return [...events, ...(every ? [`${formatCount(every.seconds)} s`] : [])].join(' or ');
}

/** Kept versions, the one that serves first. */
function versionTable({ versions }: Model): Table {
  return {
    columns: [
      { name: 'version' },
      { name: 'made by' },
      { name: 'serves since' },
      { name: 'revision' },
      { name: 'on disk', align: 'right' },
    ],
    rows: versions.map(({ version, origin, createTime, revision, bytes }) => [
      version,
      origin,
      formatDate(createTime),
      revision,
      formatBytes(bytes),
    ]),
  };
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
