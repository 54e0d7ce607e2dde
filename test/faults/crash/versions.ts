import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '../../support/client.ts';
import type { ServerProcess } from '../../support/server-process.ts';
import { GONE, reasonOf } from '../traffic/traffic.ts';

/** A model of which new versions are made and earlier ones brought back. */

/** Versions that a model keeps. */
const KEPT = 4;
const RETRY_MS = 20;
/** Every candidate passes. */
const MARGIN = 1;
/** As few as hold the first ratings that a guard wants, among edits of others. */
const WINDOW_EVENTS = 2500;
/** What a version goes through: made, written to a file, taken up by a record; then the one before it is written to a file. */
const STEPS = ['make', 'save', 'join', 'keep'] as const;

type Step = (typeof STEPS)[number];
type Call = 'fuse' | 'rollback';

export class Versions {
  static readonly MODEL = 'mf';
  /** Those that are kept, the one that serves last: as acknowledged. */
  #kept: readonly string[] = ['1'];
  /** What they come to if the call under way was taken. */
  #next: readonly string[] | undefined;
  /** The call under way, and how much was in the log before it. */
  #call: { readonly name: Call; readonly lines: number } | undefined;

  /** Makes one version after the other until the server is gone. */
  refit(server: ServerProcess): Promise<void> {
    return this.#untilGone(server, (client) => this.#refit(server, client));
  }

  /** Makes a version if there is only one, and goes back until the server is gone. */
  rollBack(server: ServerProcess): Promise<void> {
    return this.#untilGone(server, (client) => {
      const earlier = this.#kept.at(-2);
      if (earlier === undefined) return this.#refit(server, client);
      return this.#change(server, 'rollback', earlier, () => client.rollbackModel(Versions.MODEL));
    });
  }

  /** Whether a call is under way whose version has come to step `from`, or further. */
  isIn(name: Call, server: ServerProcess, from: Step): boolean {
    const call = this.#call;
    if (call?.name !== name) return false;
    const last = server.log.slice(call.lines).findLast(({ phase }) => phase === 'promotion');
    return STEPS.indexOf(last?.step as Step) >= STEPS.indexOf(from);
  }

  /** That all which were acknowledged are there; what is there counts from now on. Whether the open one is there. */
  async verify(client: Client): Promise<boolean | undefined> {
    const { model } = await client.getModel(Versions.MODEL);
    const found = model?.versions.map(({ version }) => version).reverse() ?? [];
    const expected = this.#next && found.at(-1) === this.#next.at(-1) ? this.#next : this.#kept;
    assert.deepEqual(found, expected, `versions; acknowledged were ${this.#kept}, open was ${this.#next ?? 'none'}`);
    assert.equal(model?.version, found.at(-1));
    const { modelVersion } = await client.recommend('user-1', { model: Versions.MODEL });
    assert.equal(modelVersion, found.at(-1));
    const isThere = this.#next && expected === this.#next;
    this.#kept = found;
    this.#next = this.#call = undefined;
    return isThere;
  }

  #refit(server: ServerProcess, client: Client): Promise<void> {
    const version = String(Math.max(...this.#kept.map(Number)) + 1);
    return this.#change(server, 'fuse', version, async () => {
      const guard = { margin: MARGIN, windowEvents: WINDOW_EVENTS };
      const { result } = await client.fuse({ model: Versions.MODEL, guard });
      assert.deepEqual([result.promoted, result.version], [true, version], result.decision?.reason);
    });
  }

  /** A call after which `version` serves. */
  async #change(server: ServerProcess, name: Call, version: string, act: () => Promise<unknown>): Promise<void> {
    this.#call = { name, lines: server.log.length };
    this.#next = [...this.#kept.filter((each) => each !== version), version].slice(-KEPT);
    await act();
    this.#kept = this.#next;
    this.#next = this.#call = undefined;
  }

  /** Repeats an act, also where the guard wants more ratings. */
  async #untilGone(server: ServerProcess, act: (client: Client) => Promise<void>): Promise<void> {
    const client = server.connect();
    for (;;) {
      try {
        await act(client);
      } catch (error) {
        const reason = reasonOf(error);
        if (reason === GONE) return client.close();
        if (reason !== 'TOO_FEW_EVENTS') throw error;
        this.#next = this.#call = undefined;
        await sleep(RETRY_MS);
      }
    }
  }
}
