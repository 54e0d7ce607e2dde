import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConfigInput } from '../../../server/config/schema.ts';
import { randomNumbers } from '../../support/ratings.ts';
import { TEST_CONFIG } from '../../support/server.ts';
import { ServerProcess } from '../../support/server-process.ts';
import type { Scope } from '../../support/temporary-folder.ts';
import { Ledger } from '../traffic/ledger.ts';
import { KINDS, Reference } from '../traffic/reference.ts';
import { Traffic } from '../traffic/traffic.ts';
import { sendAgain, verifyRatings, verifyState } from '../traffic/verify.ts';
import { Changes, Comer } from './changes.ts';
import { PHASES, type Phase, type Victim } from './phases.ts';

/** The life of one store: streams, crash after crash, and what must hold after each. */

const CONFIG = {
  models: [...TEST_CONFIG.models, { name: 'mf', plugin: 'mf', config: { k: 16 } }],
  kinds: KINDS,
  // Small links, so that the journal often begins another one.
  journal: { linkMiB: 1 },
  evaluation: { rankEvery: 100, window: 500 },
} as const satisfies ConfigInput;

/** As a user starts it, in a process group of its own. */
const COMMAND = ['sh', 'setup/run.sh', 'server/main.ts'];
/** Acknowledged requests that are sent again after a crash. */
const REPEATED_MAX = 500;

export interface Round {
  /** Names of the phases in which the server was killed. */
  readonly hit: readonly string[];
  /** What happened, for people. */
  readonly text: string;
}

export class Life {
  readonly #scope: Scope;
  readonly #server: ServerProcess;
  readonly #ledger: Ledger;
  readonly #reference = new Reference();
  readonly #changes = new Changes();
  readonly #comer = new Comer();
  /** The first revision that was not compared yet. */
  #compareFrom = '';
  #replayMs = 0;

  private constructor(scope: Scope, server: ServerProcess, seed: number) {
    this.#scope = scope;
    this.#server = server;
    this.#ledger = new Ledger(`life-${seed}`);
  }

  static async begin(scope: Scope, seed: number): Promise<Life> {
    const server = await ServerProcess.start(scope, CONFIG, { command: COMMAND });
    return new Life(scope, server, seed);
  }

  /** Streams, is killed in `phase` or near it, starts again; throws what is not as it must be. */
  async round(phase: Phase, seed: number): Promise<Round> {
    const random = randomNumbers(seed);
    const victim: Victim = {
      server: this.#server,
      ledger: this.#ledger,
      comer: this.#comer,
      random,
      replayMs: this.#replayMs,
    };
    const before = this.#ledger.acknowledgedCount;
    const hit = new Set(await this.#killServing(phase, victim));
    if (phase.during === 'starting') for (const name of await this.#killStarting(phase, victim)) hit.add(name);
    const acknowledged = this.#ledger.acknowledgedCount - before;
    const startMs = performance.now();
    await this.#server.start();
    const recoveryMs = Math.round(performance.now() - startMs);
    this.#replayMs = (await this.#server.said('ready')).replayedMs ?? 0;
    const { sent, there } = await this.#verify(random);
    const names = [...hit].join(', ') || 'none';
    const counts = `${acknowledged} acknowledged, ${sent} open of which ${there} were there`;
    return { hit: [...hit], text: `aimed at ${phase.name}, hit ${names}; ${counts}; ready after ${recoveryMs} ms` };
  }

  async #killServing(phase: Phase, victim: Victim): Promise<string[]> {
    let over = false;
    const traffic = new Traffic(this.#server, this.#ledger, victim.random);
    const changes = this.#changes.run(this.#server, () => over);
    const serving = phase.during === 'serving' ? phase : PHASES[0];
    const provoked = serving.provoke?.(victim);
    const begun = serving.begun(victim).catch(() => {});
    await Promise.race([begun, traffic.done.then(() => assert.fail('all clients ended before the crash'))]);
    await sleep(victim.random() * serving.withinMs(victim));
    await this.#server.kill();
    over = true;
    await Promise.all([traffic.done, changes, provoked, begun]);
    return namesOfHit('serving', victim);
  }

  async #killStarting(phase: Phase, victim: Victim): Promise<string[]> {
    this.#server.spawn();
    await phase.begun(victim);
    await sleep(victim.random() * phase.withinMs(victim));
    await this.#server.kill();
    return namesOfHit('starting', victim);
  }

  async #verify(random: () => number): Promise<{ sent: number; there: number }> {
    const { client, data } = this.#server;
    await this.#changes.verify(client);
    await this.#comer.verify(client);
    const unknown = this.#ledger.unknown;
    const there = await sendAgain(client, this.#ledger, unknown);
    const acknowledged = this.#ledger.acknowledged();
    const rest = Array.from({ length: REPEATED_MAX }, () => acknowledged[Math.floor(random() * acknowledged.length)]);
    assert.equal(await sendAgain(client, this.#ledger, rest), REPEATED_MAX, 'a retry was learned again');
    await verifyRatings(client, this.#ledger, this.#reference, this.#compareFrom);
    const last = this.#ledger.acknowledged().at(-1)?.revision ?? '';
    this.#compareFrom = String(Number(last) + 1).padStart(last.length, '0');
    await verifyState(this.#scope, client, data, CONFIG);
    return { sent: unknown.length, there };
  }

  /** That all of the journal, and not the latest alone, is what was acknowledged. */
  async end(): Promise<void> {
    await verifyRatings(this.#server.client, this.#ledger, new Reference(), '');
    await this.#server.kill();
  }
}

/** The stream runs beside all that a serving server does: it counts where nothing else was hit. */
function namesOfHit(during: Phase['during'], victim: Victim): string[] {
  const names = PHASES.filter((phase) => phase.during === during && phase.hit(victim)).map(({ name }) => name);
  return names.length > 1 ? names.filter((name) => name !== PHASES[0].name) : names;
}
