import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '../../support/client.ts';
import type { ServerProcess } from '../../support/server-process.ts';
import type { Ledger } from '../traffic/ledger.ts';
import type { Reference } from '../traffic/reference.ts';
import { GONE, reasonOf } from '../traffic/traffic.ts';
import { namesIn, Originals } from './originals.ts';

/** Someone who rates for a while and is forgotten then, and the next one. */

const STAY_MS = 100;
const LOOK_MS = 10;

export class Leaver {
  /** What clean replays need of a store in which someone was forgotten; undefined: nobody was. */
  originals: Originals | undefined;
  /** Whom the traffic rates for, now and then. */
  guest: string | undefined;
  /** Whom a call is to forget that has not been answered. */
  #leaving: string | undefined;
  readonly #gone: string[] = [];
  #isNoted = false;
  #count = 0;

  /** Lets one after the other come and go until the server is gone. */
  async run(server: ServerProcess, ledger: Ledger): Promise<void> {
    const client = server.connect();
    let isGone = false;
    void server.exited.then(() => (isGone = true));
    while (!isGone) {
      const userId = `leaver-${++this.#count}-of-those-who-go`;
      this.guest = userId;
      await sleep(STAY_MS);
      this.guest = undefined;
      const isOpen = () => ledger.unknown.some(({ ratings }) => ratings.some((rating) => rating.userId === userId));
      while (isOpen() && !isGone) await sleep(LOOK_MS);
      // A call may be cut off well before the end of the process is heard of: whose it was is who is leaving.
      if (!isGone) isGone = !(await this.#forget(client, userId, server));
    }
    client.close();
  }

  /** Whether it was answered. */
  async #forget(client: Client, userId: string, server: ServerProcess): Promise<boolean> {
    this.#keepOriginals(server);
    const looking = setInterval(() => this.#keepOriginals(server), LOOK_MS);
    this.#leaving = userId;
    try {
      await client.forgetUser(userId);
      this.#gone.push(userId);
      this.#leaving = undefined;
      return true;
    } catch (error) {
      if (reasonOf(error) !== GONE) throw error;
      return false;
    } finally {
      clearInterval(looking);
    }
  }

  /** Whether someone is being forgotten, with a note of it on disk. */
  isLeaving({ data }: ServerProcess): boolean {
    return this.#leaving !== undefined && notesIn(data).length > 0;
  }

  /** Of a dead server, before it is started again. */
  died({ data }: ServerProcess): void {
    this.#isNoted = notesIn(data).length > 0;
    this.originals?.keep();
  }

  /** Of a server that was started again: waits until it has forgotten whom it had noted. What became of the open one. */
  async settle({ data, client }: ServerProcess, ledger: Ledger, reference: Reference): Promise<string | undefined> {
    const isNoted = this.#isNoted;
    for (; notesIn(data).length > 0; await sleep(LOOK_MS)) this.originals?.keep();
    const userId = this.#leaving;
    this.#leaving = this.guest = undefined;
    const isKept = !isNoted && userId !== undefined && filesWith(data, userId).length > 0;
    if (userId && !isKept) this.#gone.push(userId);
    for (const each of this.#gone.splice(0)) {
      ledger.forget(each);
      reference.forget(each);
      assert.deepEqual(filesWith(data, each), [], `files that still have ${each}`);
      assert.deepEqual(await client.allRatings(each), [], `ratings of ${each}`);
    }
    if (!userId) return undefined;
    return isNoted ? 'finished by the start' : isKept ? 'not begun' : 'done';
  }

  #keepOriginals({ data, folder }: ServerProcess): void {
    this.originals ??= new Originals(data, join(folder, 'originals'));
    this.originals.keep();
  }
}

function notesIn(data: string): string[] {
  const folder = join(data, 'forgetting');
  return existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.json')) : [];
}

/** Files of the store in which a text stands. */
function filesWith(data: string, text: string): string[] {
  return namesIn(data).filter((name) => {
    const path = join(data, name);
    return statSync(path).isFile() && readFileSync(path).includes(text);
  });
}
