import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { HealthCheckResponse } from '../../../proto/gen/grpc/health/v1/health.ts';
import { HealthService } from '../../../proto/gen/grpc/health/v1/health.ts';
import type { Client } from '../../support/client.ts';
import { rating } from '../../support/ratings.ts';
import { TestServer } from '../../support/server.ts';
import { ServerProcess } from '../../support/server-process.ts';
import type { Scope } from '../../support/temporary-folder.ts';

/** The server that is attacked, and another one that gets the honest calls alone. */

const CONFIG = { kinds: { click: { weight: 0.2 } }, rating: { min: 1, max: 5 } } as const;
/** Whose ratings are honest. */
export const HONEST = 'honest';
/** An honest client waits no longer for anything. */
const PROMPT_MS = 5000;
/**
 * What the process may hold more than before: garbage that Node has not collected, which its limit on old objects bounds.
 * What leaks beyond that limit ends it.
 */
const GROWTH_MIB_MAX = 500;

export class Target {
  readonly attacked: ServerProcess;
  readonly #reference: TestServer;
  #batches = 0;
  #memoryMiB = 0;

  private constructor(attacked: ServerProcess, reference: TestServer) {
    this.attacked = attacked;
    this.#reference = reference;
  }

  static async start(scope: Scope): Promise<Target> {
    const target = new Target(
      await ServerProcess.start(scope, CONFIG, { env: { NODE_OPTIONS: '--max-old-space-size=256' } }),
      await TestServer.start(scope, CONFIG),
    );
    await target.serves('nothing yet');
    target.#memoryMiB = target.#residentMiB();
    return target;
  }

  /** Health, a rating and a recommendation, promptly; and the memory is within bounds. */
  async serves(after: string): Promise<void> {
    const startMs = performance.now();
    const honest = this.attacked.connect(); // a new connection each time
    try {
      const { status } = (await honest.call(HealthService.check, { service: '' })) as HealthCheckResponse;
      assert.equal(status, 1, `it serves after ${after}`);
      const { revision } = await this.#rate(honest);
      await this.#rate(this.#reference.client, this.#batches++);
      const { items } = await honest.recommend(HONEST, { minRevision: revision, includeSeen: true, pageSize: 3 });
      assert(items.length > 0);
    } finally {
      honest.close();
    }
    const tookMs = performance.now() - startMs;
    assert(tookMs < PROMPT_MS, `after ${after} an honest client waited ${Math.round(tookMs)} ms`);
    const grown = this.#residentMiB() - this.#memoryMiB;
    assert(this.#memoryMiB === 0 || grown < GROWTH_MIB_MAX, `after ${after} it holds ${Math.round(grown)} MiB more`);
  }

  /** Nothing was learned but what honest clients said. */
  async learnedNothingElse(after: string): Promise<void> {
    const [attacked, reference] = await Promise.all([stateOf(this.attacked.client), stateOf(this.#reference.client)]);
    assert.deepEqual(attacked, reference, `what is learned after ${after}`);
  }

  /** Nothing above information was logged, and nothing that is no log. */
  loggedNothing(after: string): void {
    const lines = this.attacked.stderr.split('\n').filter((line) => line !== '');
    const odd = lines.filter((line) => !line.startsWith('{') || JSON.parse(line).level > 30);
    assert.deepEqual(odd, [], `what it logged after ${after}`);
  }

  #rate(client: Client, batch = this.#batches) {
    const eventTime = { seconds: BigInt(1000 + batch), nanos: 0 };
    return client.rate([rating(HONEST, `item-${batch % 20}`, 1 + (batch % 5), { eventTime })]);
  }

  #residentMiB(): number {
    const status = readFileSync(`/proc/${this.attacked.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
  }
}

async function stateOf(client: Client) {
  const { hashes, model } = await client.getModel('mean');
  return { ...hashes, learned: model?.learnedCount };
}
