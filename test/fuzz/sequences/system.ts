import assert from 'node:assert/strict';
import { cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import type { GetModelResponse } from '../../../proto/gen/accrete/v1/model.ts';
import { ModelServiceService } from '../../../proto/gen/accrete/v1/model.ts';
import type { ConfigInput } from '../../../server/config/schema.ts';
import type { Client } from '../../support/client.ts';
import { TEST_CONFIG, TestServer } from '../../support/server.ts';
import { ServerProcess } from '../../support/server-process.ts';
import { makeFolder, type Scope } from '../../support/temporary-folder.ts';

/** The server that is compared with the reference. */
export interface System {
  readonly client: Client;
  /** Its store. */
  readonly data: string;
  /** Stops as SIGTERM does, and starts on the same store. */
  restart(): Promise<void>;
  /** Ends as SIGKILL does, and starts on what is on disk. */
  crash(): Promise<void>;
}

export const MODELS: readonly string[] = TEST_CONFIG.models.map(({ name }) => name);
/** A model that gets new versions, and one like it that never does. */
export const REFITTED = 'refitted';
export const TWIN = 'twin';
export const CONFIG: ConfigInput = {
  models: [
    ...TEST_CONFIG.models,
    ...[REFITTED, TWIN].map((name) => ({ name, plugin: 'mf', config: { k: 4, replay: { count: 1 } } })),
  ],
  defaultModel: 'popularity',
  kinds: { click: { weight: 0.2 }, buy: { weight: 3, hides: true } },
};

/** A server in this process. What is on disk at a moment is what a crash then would leave: it is copied. */
export async function startHere(scope: Scope): Promise<System> {
  const folder = makeFolder(scope);
  let data = join(folder, '0');
  const server = await TestServer.start(scope, { ...CONFIG, data });
  let crashes = 0;
  return {
    get client() {
      return server.client;
    },
    get data() {
      return data;
    },
    restart: () => server.restart(),
    crash: async () => {
      const left = join(folder, String(++crashes));
      // Checkpoints first: none is beyond the journal then.
      for (const part of ['state', 'journal', 'format.json'])
        if (existsSync(join(data, part))) cpSync(join(data, part), join(left, part), { recursive: true });
      data = left;
      await server.restart({ data });
    },
  };
}

/** A server in a process of its own, which is killed. */
export async function startApart(scope: Scope): Promise<System> {
  const server = await ServerProcess.start(scope, CONFIG);
  return {
    get client() {
      return server.client;
    },
    data: server.data,
    restart: async () => {
      assert.deepEqual(await server.stop(), { code: 0, signal: null });
      await server.start();
    },
    crash: async () => {
      await server.kill();
      await server.start();
    },
  };
}

/** All that is hashed and counted, of every model. */
export async function stateOf({ client }: System): Promise<GetModelResponse[]> {
  const { models } = await client.call(ModelServiceService.listModels, { pageSize: 100, pageToken: '' });
  return Promise.all(models.map(({ name }) => client.getModel(name)));
}
