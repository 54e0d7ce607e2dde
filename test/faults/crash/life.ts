import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConfigInput } from '../../../server/config/schema.ts';
import { randomNumbers, rating } from '../../support/ratings.ts';
import { TEST_CONFIG } from '../../support/server.ts';
import { ServerProcess } from '../../support/server-process.ts';
import type { Scope } from '../../support/temporary-folder.ts';
import { within } from '../../support/within.ts';
import { Ledger } from '../traffic/ledger.ts';
import { KINDS, Reference } from '../traffic/reference.ts';
import { Traffic } from '../traffic/traffic.ts';
import { sendAgain, stateOf, verifyRatings, verifyState } from '../traffic/verify.ts';
import { Changes, Comer } from './changes.ts';
import { Leaver } from './leaver.ts';
import { PHASES, type Phase, type Victim } from './phases.ts';
import { Versions } from './versions.ts';

/** The life of one store: streams, crash after crash, and what must hold after each. */

/** The form that is quick to take ratings back: stores grow with the rounds, and each is learned again several times. */
const PLAIN = { k: 16, base: 'biases', ranking: 'taste' };
const CONFIG = {
  models: [...TEST_CONFIG.models, { name: 'mf', plugin: 'mf', config: PLAIN }],
  kinds: KINDS,
  // Small links, so that the journal often begins another one.
  journal: { linkMiB: 1 },
  evaluation: { rankEvery: 100, window: 500 },
} as const satisfies ConfigInput;

/** As a user starts it, in a process group of its own. */
const COMMAND = ['sh', 'setup/run.sh', 'server/main.ts'];
/** Acknowledged requests that are sent again after a crash. */
const REPEATED_MAX = 500;
/** First ratings that a life begins with, so that a guard has what to judge by; and of how many items such are. */
const FIRST_RATINGS = 4000;
const MORE_ITEMS = 4000;
const FIRST_USERS = 40;
const BATCH = 400;
/** When a phase has not begun by then, the server is killed all the same. */
const BEGUN_MAX_MS = 30_000;
/** So long anything may take that has an end. */
const WAIT_MAX_MS = 60_000;
/** Rounds beside whose stream a checkpoint is made. */
const CHECKPOINT_SHARE = 0.3;

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
  readonly #versions = new Versions();
  readonly #leaver = new Leaver();
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
    const life = new Life(scope, server, seed);
    for (let n = 0; n < FIRST_RATINGS; n += BATCH) await life.#rateFirst(n);
    return life;
  }

  /** Whether it should end: models that are loaded once someone was forgotten are not promised to have the same bytes. */
  get isOver(): boolean {
    return this.#leaver.originals !== undefined;
  }

  async #rateFirst(from: number): Promise<void> {
    const ratings = Array.from({ length: BATCH }, (_, k) => {
      const n = from + k;
      const item = `more-${Math.floor(n / FIRST_USERS)}`;
      return rating(`user-${n % FIRST_USERS}`, item, 1 + ((n * 7) % 9) / 2, { weight: 1 });
    });
    const sent = this.#ledger.send(ratings);
    this.#ledger.acknowledge(sent, await this.#server.client.rate([...ratings], { requestId: sent.requestId }));
  }

  /** Streams, is killed in `phase` or near it, starts again; throws what is not as it must be. */
  async round(phase: Phase, seed: number): Promise<Round> {
    const random = randomNumbers(seed);
    const victim: Victim = {
      server: this.#server,
      ledger: this.#ledger,
      comer: this.#comer,
      versions: this.#versions,
      leaver: this.#leaver,
      random,
      replayMs: this.#replayMs,
    };
    const before = this.#ledger.acknowledgedCount;
    const hit = new Set(await this.#killServing(phase, victim));
    if (phase.during === 'starting') for (const name of await this.#killStarting(phase, victim)) hit.add(name);
    const acknowledged = this.#ledger.acknowledgedCount - before;
    const startMs = performance.now();
    await this.#restart();
    const recoveryMs = Math.round(performance.now() - startMs);
    this.#replayMs = (await this.#server.said('ready')).replayedMs ?? 0;
    const verifyMs = performance.now();
    const { sent, there, more } = await this.#verify(random);
    const verifiedMs = Math.round(performance.now() - verifyMs);
    const names = [...hit].join(', ') || 'none';
    const counts = `${acknowledged} acknowledged, ${sent} open of which ${there} were there`;
    const text = [
      `aimed at ${phase.name}, hit ${names}`,
      counts,
      ...more,
      `ready after ${recoveryMs} ms, verified in ${verifiedMs}`,
    ];
    return { hit: [...hit], text: text.join('; ') };
  }

  async #killServing(phase: Phase, victim: Victim): Promise<string[]> {
    let over = false;
    const guest = () => this.#leaver.guest;
    const serving = phase.during === 'serving' ? phase : PHASES[0];
    const options = { moreItems: MORE_ITEMS, guest, pauseMs: serving.pauseMs };
    const traffic = new Traffic(this.#server, this.#ledger, victim.random, options);
    const changes = this.#changes.run(this.#server, () => over);
    const provoked = serving.provoke?.(victim);
    if (victim.random() < CHECKPOINT_SHARE) this.#server.client.createCheckpoint().catch(() => {});
    const begun = serving.begun(victim).catch(() => {});
    await Promise.race([
      begun,
      sleep(BEGUN_MAX_MS, undefined, { ref: false }),
      traffic.done.then(() => assert.fail('all clients ended before the crash')),
      provoked?.then(() => assert.fail('nobody provokes the phase any more')) ?? begun,
    ]);
    await sleep(victim.random() * serving.withinMs(victim));
    await this.#server.kill();
    this.#leaver.died(this.#server);
    over = true;
    const ends = { traffic: traffic.done, changes, [`what provokes ${serving.name}`]: provoked, begun };
    const ended = Object.entries(ends).map(([what, end]) => within(WAIT_MAX_MS, `${what} ends with the server`, end));
    await Promise.all(ended);
    const { QUEUE_FULL: _, ...refusals } = traffic.refusals;
    assert.deepEqual(refusals, {}, 'the disk is whole');
    return namesOfHit('serving', victim);
  }

  async #killStarting(phase: Phase, victim: Victim): Promise<string[]> {
    this.#server.spawn();
    await within(WAIT_MAX_MS, `${phase.name} begins`, phase.begun(victim));
    await sleep(victim.random() * phase.withinMs(victim));
    await this.#server.kill();
    return namesOfHit('starting', victim);
  }

  #restart(): Promise<void> {
    return within(WAIT_MAX_MS, 'the server is ready again', this.#server.start());
  }

  async #verify(random: () => number): Promise<{ sent: number; there: number; more: string[] }> {
    const { client, data } = this.#server;
    const soon = <T>(what: string, verified: Promise<T>) => within(WAIT_MAX_MS, `${what} is verified`, verified);
    const left = await soon('who is forgotten', this.#leaver.settle(this.#server, this.#ledger, this.#reference));
    await soon('what items, users and scenarios are', this.#changes.verify(client));
    await soon('whether a model is loaded', this.#comer.verify(client));
    const isPromoted = await soon('which version serves', this.#versions.verify(client));
    const unknown = this.#ledger.unknown;
    const there = await soon('what was open', sendAgain(client, this.#ledger, unknown));
    const acknowledged = this.#ledger.acknowledged().filter(({ isForgotten }) => !isForgotten);
    const rest = Array.from({ length: REPEATED_MAX }, () => acknowledged[Math.floor(random() * acknowledged.length)]);
    const repeated = await soon('what is sent again', sendAgain(client, this.#ledger, rest));
    assert.equal(repeated, REPEATED_MAX, 'a retry was learned again');
    await soon('what was rated', verifyRatings(client, this.#ledger, this.#reference, this.#compareFrom));
    const last = this.#ledger.acknowledged().at(-1)?.revision ?? '';
    this.#compareFrom = String(Number(last) + 1).padStart(last.length, '0');
    const overlay = this.#leaver.originals?.folder;
    await soon('every table', verifyState(this.#scope, client, data, CONFIG, overlay ? [overlay] : []));
    const more = [
      ...(left ? [`forgetting ${left}`] : []),
      ...(isPromoted === undefined ? [] : [`open version ${isPromoted ? 'serves' : 'does not serve'}`]),
    ];
    return { sent: unknown.length, there, more };
  }

  /** That all of the journal, and not the latest alone, is what was acknowledged; and that a start changes nothing. */
  async end(): Promise<void> {
    const ratings = verifyRatings(this.#server.client, this.#ledger, new Reference(), '');
    await within(WAIT_MAX_MS, 'all that was ever rated is verified', ratings);
    const state = await stateOf(this.#server.client);
    await this.#server.kill();
    await this.#restart();
    assert.deepEqual(await stateOf(this.#server.client), state, 'the state differs after one more start');
    await this.#server.kill();
  }
}

/** The stream runs beside all that a serving server does: it counts where nothing else was hit. */
function namesOfHit(during: Phase['during'], victim: Victim): string[] {
  const names = PHASES.filter((phase) => phase.during === during && phase.hit(victim)).map(({ name }) => name);
  return names.length > 1 ? names.filter((name) => name !== PHASES[0].name) : names;
}
