import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { LoadModelRequest, ModelServiceService, type ModelState } from '../../../proto/gen/accrete/v1/model.ts';
import type { Client } from '../../support/client.ts';
import type { ServerProcess } from '../../support/server-process.ts';
import { GONE, reasonOf } from '../traffic/traffic.ts';
import { availableModels } from '../traffic/verify.ts';

/**
 * Changes that are no ratings: each is a number that its own client counts up, one call after the other. After a crash it
 * is the last that was acknowledged, or the one that was under way.
 */

interface Change {
  readonly name: string;
  write(client: Client, count: number): Promise<unknown>;
  read(client: Client): Promise<number>;
}

const PAUSE_MS = 5;

const numberIn = (text: string | undefined) => Number(text || 0);

const CHANGES: readonly Change[] = [
  {
    name: 'item',
    write: (client, count) =>
      client.upsertItems([{ itemId: 'told', title: String(count), labels: [`l-${count % 7}`] }]),
    read: async (client) => {
      const known = await client.getItem('told').catch(() => undefined);
      return numberIn(known?.item?.title);
    },
  },
  {
    name: 'user',
    write: (client, count) => client.upsertUsers([{ userId: 'told', labels: [String(count)] }]),
    read: async (client) => {
      const known = await client.getUser('told').catch(() => undefined);
      return numberIn(known?.user?.labels[0]);
    },
  },
  {
    name: 'scenario',
    write: (client, count) => client.putScenario({ name: 'told', pageSize: 10, description: String(count) }),
    read: async (client) => numberIn((await client.listScenarios()).scenarios[0]?.description),
  },
];

export class Changes {
  readonly #acknowledged = new Map<string, number>();
  readonly #sent = new Map<string, number>();

  /** Makes changes until `isOver`, or the server is gone. */
  async run(server: ServerProcess, isOver: () => boolean): Promise<void> {
    await Promise.all(
      CHANGES.map(async ({ name, write }) => {
        const client = server.connect();
        while (!isOver()) {
          const count = (this.#sent.get(name) ?? 0) + 1;
          this.#sent.set(name, count);
          try {
            await write(client, count);
          } catch (error) {
            if (reasonOf(error) !== GONE) throw error;
            break;
          }
          this.#acknowledged.set(name, count);
          await sleep(PAUSE_MS);
        }
        client.close();
      }),
    );
  }

  /** That all which were acknowledged are there; what is there counts from now on. */
  async verify(client: Client): Promise<void> {
    for (const { name, read } of CHANGES) {
      const found = await read(client);
      const least = this.#acknowledged.get(name) ?? 0;
      const most = this.#sent.get(name) ?? 0;
      assert(found === least || found === most, `${name}: ${found} is there, ${least} was acknowledged, ${most} sent`);
      this.#acknowledged.set(name, found);
      this.#sent.set(name, found);
    }
  }
}

/** A model that comes and goes. */
export class Comer {
  static readonly NAME = 'comer';
  /** What was acknowledged last; undefined: another change was under way. */
  #loaded: boolean | undefined = false;

  /** Whether a LoadModel has not been answered. */
  loading = false;

  /** Loads and unloads it until the server is gone. */
  async run(server: ServerProcess): Promise<void> {
    const client = server.connect();
    try {
      for (;;) {
        if (this.#loaded) {
          this.#loaded = undefined;
          await client.unloadModel(Comer.NAME);
          this.#loaded = false;
        }
        this.#loaded = undefined;
        this.loading = true;
        const request = LoadModelRequest.fromPartial({ name: Comer.NAME, plugin: 'mf', config: { k: 8 } });
        await client.call(ModelServiceService.loadModel, request);
        this.loading = false;
        this.#loaded = true;
      }
    } catch (error) {
      if (reasonOf(error) !== GONE) throw error;
    } finally {
      client.close();
    }
  }

  async verify(client: Client): Promise<void> {
    this.loading = false;
    const found = (await availableModels(client)).includes(Comer.NAME);
    if (this.#loaded !== undefined) assert.equal(found, this.#loaded, `whether ${Comer.NAME} is loaded`);
    this.#loaded = found;
  }
}

/** What state a model is in; undefined: there is none of that name. */
export async function modelState(client: Client, name: string): Promise<ModelState | undefined> {
  const { models } = await client.call(ModelServiceService.listModels, { pageSize: 0, pageToken: '' });
  return models.find((model) => model.name === name)?.state;
}
