import { readdirSync, statSync, watch } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ModelState } from '../../../proto/gen/accrete/v1/model.ts';
import type { ServerProcess } from '../../support/server-process.ts';
import type { Ledger } from '../traffic/ledger.ts';
import { Comer, modelState } from './changes.ts';

/**
 * The phases in which a server is killed. To add one, add it to the list: what brings it about, how to know from outside
 * that it has begun, and how to know from what a dead server left that it was in it.
 */

/** A server that is about to be killed, or was. */
export interface Victim {
  readonly server: ServerProcess;
  readonly ledger: Ledger;
  readonly comer: Comer;
  readonly random: () => number;
  /** How long the last start took to learn the journal. */
  readonly replayMs: number;
}

export interface Phase {
  readonly name: string;
  /** `starting`: the server is killed while it serves, and again while it starts. */
  readonly during: 'serving' | 'starting';
  /** Runs beside the stream and brings the phase about; ends when the server is gone. */
  provoke?(victim: Victim): Promise<void>;
  /** Resolves when the phase has begun; never, if the server is gone. */
  begun(victim: Victim): Promise<unknown>;
  /** The kill comes at most so long after that, at random. */
  withinMs(victim: Victim): number;
  /** Whether the dead server was in it. */
  hit(victim: Victim): boolean;
}

/** LMDB's two first pages: of a link in which nothing was written yet. */
const EMPTY_LINK_BYTES = 2 * 4096;

export const PHASES: readonly Phase[] = [
  {
    name: 'idle stream',
    during: 'serving',
    begun: () => sleep(100),
    withinMs: () => 500,
    hit: ({ ledger }) => ledger.unknown.length > 0,
  },
  {
    name: 'journal rotation',
    during: 'serving',
    begun: ({ server }) => appeared(journalOf(server), (name) => name.includes('.new')),
    withinMs: () => 4,
    hit: ({ server }) => {
      const folder = journalOf(server);
      const names = readdirSync(folder);
      const last =
        names
          .filter((name) => name.endsWith('.mdb'))
          .sort()
          .at(-1) ?? '';
      return names.some((name) => name.includes('.new')) || statSync(join(folder, last)).size <= EMPTY_LINK_BYTES;
    },
  },
  {
    name: 'load',
    during: 'serving',
    provoke: ({ server, comer }) => comer.run(server),
    begun: async ({ server }) => {
      while ((await modelState(server.client, Comer.NAME)) !== ModelState.MODEL_STATE_LOADING) await sleep(2);
    },
    withinMs: () => 60,
    hit: ({ comer }) => comer.loading,
  },
  {
    name: 'replay',
    during: 'starting',
    begun: ({ server }) => server.logged('that it replays', ({ phase }) => phase === 'replay'),
    withinMs: ({ replayMs }) => replayMs / 2,
    hit: ({ server }) =>
      server.log.some(({ phase }) => phase === 'replay') && !server.log.some(({ msg }) => msg === 'ready'),
  },
];

function journalOf({ data }: ServerProcess): string {
  return join(data, 'journal');
}

/** Resolves when something changes about a name in a folder that `is` says yes to. */
function appeared(folder: string, is: (name: string) => boolean): Promise<void> {
  return new Promise((resolve) => {
    const watcher = watch(folder, (_change, name) => {
      if (!name || !is(name)) return;
      watcher.close();
      resolve();
    });
    watcher.unref();
  });
}
