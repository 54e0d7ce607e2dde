import { readdirSync, readFileSync } from 'node:fs';
import { ModelState } from '../../proto/gen/accrete/v1/model.ts';
import type { ConfigInput } from '../../server/config/schema.ts';
import { ServerProcess } from '../support/server-process.ts';

/** What is shipped, where a benchmark says nothing else. */
const SHIPPED = {
  memory: { budgetMiB: 4096 },
  models: [
    { name: 'mf', plugin: 'mf' },
    { name: 'popularity', plugin: 'popularity' },
  ],
} as const satisfies ConfigInput;

/** Runs `use` with a server in a process of its own, on an empty store; both are gone afterwards. */
export async function withServer<T>(config: ConfigInput, use: (server: ServerProcess) => Promise<T>): Promise<T> {
  const ends: (() => unknown)[] = [];
  try {
    const server = await ServerProcess.start({ after: (run) => ends.unshift(run) }, { ...SHIPPED, ...config });
    return await use(server);
  } finally {
    for (const end of ends) await end();
  }
}

/** The hash of a model's configuration, as the server tells it. Throws when the model does not learn any more. */
export async function requireConfigHash({ client }: ServerProcess, name: string): Promise<string> {
  const { model } = await client.getModel(name);
  if (model?.state === ModelState.MODEL_STATE_AVAILABLE) return model.configHash;
  throw new Error(`model ${name} is of no use for a benchmark: ${model?.stateReason}`);
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
