import { status } from '@grpc/grpc-js';
import { type Model, modelStateToJSON } from '../../../proto/gen/accrete/v1/model.ts';
import {
  HealthCheckRequest,
  HealthCheckResponse_ServingStatus,
  HealthService,
} from '../../../proto/gen/grpc/health/v1/health.ts';
import type { Connection } from '../connection.ts';
import { Failure } from '../failure.ts';
import { listModels, stateNameOf } from '../model-list.ts';
import { formatCount } from '../output.ts';
import { attention, type Finding, note, ok } from './findings.ts';
import { examineDisk, examineMemory, size } from './limits.ts';
import { fetchSamples, type Sample, sumOf, valueIn } from './samples.ts';

/** What a running server tells of itself. */
export interface Running {
  readonly address: string;
  /** Whether it answers calls, and whether ratings can be made durable. */
  readonly serves: boolean;
  readonly writes: boolean;
  readonly models: readonly Model[];
  readonly metricsAddress: string;
  /** Undefined if no metrics of this server are there; they are not looked for while it does not serve. */
  readonly samples: readonly Sample[] | undefined;
}

const WRITE = 'accrete.write';
const LAG_SECONDS_MAX = 5;
/** Of rating requests, from which on it is worth a word. */
const REFUSED_SHARE = 0.01;
const DEAF_ADVICE =
  'it learns ratings, no events without a value: send values, or make another model the default (accrete models default)';

/** Asks a server; undefined if none answers. */
export async function lookAtServer(connection: Connection, metricsAddress: string): Promise<Running | undefined> {
  try {
    const [serves, writes] = [await checkHealth(connection, ''), await checkHealth(connection, WRITE)];
    const models = serves ? await listModels(connection) : [];
    // Without models nothing tells whose samples they are.
    const samples = serves ? await fetchSamples(metricsAddress) : undefined;
    const own =
      samples && models.every(({ name }) => valueIn(samples, 'accrete_model_revision', { model: name }) !== undefined);
    return { address: connection.address, serves, writes, models, metricsAddress, samples: own ? samples : undefined };
  } catch (error) {
    if (error instanceof Failure && error.reason === status[status.UNAVAILABLE]) return undefined;
    throw error;
  }
}

async function checkHealth(connection: Connection, service: string): Promise<boolean> {
  const answer = await connection.call(HealthService.check, HealthCheckRequest.fromPartial({ service }));
  return answer.status === HealthCheckResponse_ServingStatus.SERVING;
}

export function examineServer({ serves, writes, models, samples, metricsAddress, address }: Running): Finding[] {
  const health = serves
    ? ok('server', `it answers at ${address}`)
    : attention(
        'server',
        `it does not serve yet, or no more`,
        'while it learns its journal anew, wait; else see its log',
      );
  const isDamaged = samples && valueIn(samples, 'accrete_journal_damaged') === 1;
  const why = isDamaged
    ? attention(
        'journal',
        'it is damaged',
        'restore it from a backup; without one: stop the server, accrete doctor --repair',
      )
    : attention(
        'journal',
        'ratings cannot be made durable',
        samples
          ? 'make room on the disk; the log of the server has the cause'
          : 'the log of the server has the cause: make room on the disk, or, of damage, stop it: accrete doctor --repair',
      );
  const write = serves && !writes ? [why] : [];
  const absent = note(
    'metrics',
    `none of this server at ${metricsAddress}`,
    'say where they are with --metrics HOST:PORT',
  );
  const metrics = samples ? examineSamples(samples) : serves ? [absent] : [];
  return [health, ...write, ...models.map((model) => examineModel(model, models)), ...metrics];
}

function examineModel(model: Model, models: readonly Model[]): Finding {
  const subject = `model ${model.name}`;
  const rows = model.tables.reduce((most, table) => (table.rows > most ? table.rows : most), 0n);
  const bytes = model.tables.reduce((sum, table) => sum + table.bytes, 0n);
  const state = stateNameOf(model);
  if (modelStateToJSON(model.state) === 'MODEL_STATE_AVAILABLE') {
    if (isDeaf(model, models)) return note(subject, 'it has learned nothing of what others learned', DEAF_ADVICE);
    const text = `${formatCount(model.learnedCount)} ratings learned, up to ${formatCount(rows)} rows in a table, ${size(Number(bytes))}`;
    return ok(subject, text);
  }
  const why = model.stateReason === '' ? '' : `: ${model.stateReason}`;
  if (state !== 'END') return note(subject, `${state}${why}`, 'see accrete models --watch');
  return attention(subject, `it has stopped${why}`, `unload it, correct what its log says, and load it again`);
}

/** Whether all that came were events that this model does not learn. */
function isDeaf({ learnedCount, capabilities }: Model, models: readonly Model[]): boolean {
  return learnedCount === 0n && !capabilities.includes('events') && models.some((other) => other.learnedCount > 0n);
}

function examineSamples(samples: readonly Sample[]): Finding[] {
  const find = (name: string, labels?: Readonly<Record<string, string>>) => valueIn(samples, name, labels);
  const [used, budget] = ['used', 'budget'].map((state) => find('accrete_memory_bytes', { state }));
  const [free, total] = ['free', 'total'].map((state) => find('accrete_disk_bytes', { state }));
  const lag = find('accrete_update_lag_seconds') ?? 0;
  const requests = (result: string) => find('accrete_rate_requests_total', { result }) ?? 0;
  const [accepted, refused] = [requests('accepted'), requests('refused')];
  return [
    used !== undefined && budget !== undefined
      ? examineMemory(used, budget, sumOf(samples, 'accrete_table_bytes'))
      : undefined,
    free !== undefined && total !== undefined ? examineDisk(free, total) : undefined,
    lag <= LAG_SECONDS_MAX
      ? ok('queue', `the last rating waited ${lag.toFixed(3)} s until it was learned`)
      : attention(
          'queue',
          `the last rating waited ${lag.toFixed(1)} s until it was learned`,
          'send slower, give the machine another core, or load fewer models',
        ),
    refused > REFUSED_SHARE * (accepted + refused)
      ? note(
          'requests',
          `${formatCount(refused)} of ${formatCount(accepted + refused)} rating requests were refused`,
          'see the errors that their senders got',
        )
      : undefined,
  ].filter((finding) => finding !== undefined);
}
