import { readdirSync, readFileSync } from 'node:fs';
import { ListModelsRequest, type Model, ModelServiceService, ModelState } from '../../proto/gen/accrete/v1/model.ts';
import { configHash } from '../../server/config/hash.ts';
import { MODELS_MAX } from '../../server/config/keys.ts';
import { type ConfigInput, configSchema } from '../../server/config/schema.ts';
import { ServerProcess } from '../support/server-process.ts';

/** The models of a fresh server, and the one that answers: what is measured where a benchmark says nothing else. */
export const { models: SHIPPED, defaultModel: DEFAULT_MODEL } = configSchema.parse({});
const BUDGET_MIB = 4096;

/** Runs `use` with a server in a process of its own, on an empty store; both are gone afterwards. */
export async function withServer<T>(config: ConfigInput, use: (server: ServerProcess) => Promise<T>): Promise<T> {
  const ends: (() => unknown)[] = [];
  try {
    const server = await ServerProcess.start(
      { after: (run) => ends.unshift(run) },
      { memory: { budgetMiB: BUDGET_MIB }, models: SHIPPED, ...config },
    );
    return await use(server);
  } finally {
    for (const end of ends) await end();
  }
}

/**
 * The hash of a model's configuration, as the server tells it; of a model with inputs one hash over its own and theirs, by
 * name. That of a fresh server's default model is so one of all its models. Throws when the model does not learn any more.
 */
export async function requireConfigHash(server: ServerProcess, name: string = DEFAULT_MODEL): Promise<string> {
  const models = await listModels(server);
  const hashes = new Map<string, string>();
  const visit = (wanted: string) => {
    if (hashes.has(wanted)) return;
    const model = models.find((other) => other.name === wanted);
    if (model?.state !== ModelState.MODEL_STATE_AVAILABLE)
      throw new Error(`model ${wanted} is of no use for a benchmark: ${model?.stateReason ?? 'there is none'}`);
    hashes.set(wanted, model.configHash);
    for (const input of model.inputs) visit(input);
  };
  visit(name);
  return hashes.size === 1 ? (hashes.get(name) as string) : configHash(Object.fromEntries(hashes));
}

export async function listModels({ client }: ServerProcess): Promise<Model[]> {
  const request = ListModelsRequest.fromPartial({ pageSize: MODELS_MAX });
  return (await client.call(ModelServiceService.listModels, request)).models;
}

/** CPU seconds since a process began; NaN where the system does not tell those of threads. */
export interface CpuTimes {
  /** Of all threads, those of the engine and of the store included. */
  readonly process: number;
  /** Of the thread that answers calls. */
  readonly serving: number;
  readonly learner: number;
}

export function readCpuTimes({ pid }: ServerProcess): CpuTimes {
  const tasks = `/proc/${pid}/task`;
  try {
    const threads = readdirSync(tasks).map((id) => ({
      id: Number(id),
      name: readFileSync(`${tasks}/${id}/comm`, 'utf8').trim(),
      seconds: Number(readFileSync(`${tasks}/${id}/schedstat`, 'utf8').split(' ')[0]) / 1e9,
    }));
    const sum = (chosen: typeof threads) => chosen.reduce((total, { seconds }) => total + seconds, 0);
    const serving = sum(threads.filter(({ id }) => id === pid));
    return { process: sum(threads), serving, learner: sum(threads.filter(({ name }) => name === 'learner')) };
  } catch {
    return { process: Number.NaN, serving: Number.NaN, learner: Number.NaN };
  }
}
