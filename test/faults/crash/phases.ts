import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ModelState } from '../../../proto/gen/accrete/v1/model.ts';
import type { ServerProcess } from '../../support/server-process.ts';
import type { Ledger } from '../traffic/ledger.ts';
import { Comer, modelState } from './changes.ts';
import type { Leaver } from './leaver.ts';
import type { Versions } from './versions.ts';

/**
 * The phases in which a server is killed. To add one, add it to the list: what brings it about, how to know from outside
 * that it has begun, and how to know from what a dead server left that it was in it.
 */

/** A server that is about to be killed, or was. */
export interface Victim {
  readonly server: ServerProcess;
  readonly ledger: Ledger;
  readonly comer: Comer;
  readonly versions: Versions;
  readonly leaver: Leaver;
  readonly random: () => number;
  /** How long the last start took to learn the journal. */
  readonly replayMs: number;
}

export interface Phase {
  readonly name: string;
  /** `starting`: the server is killed while it serves, and again while it starts. */
  readonly during: 'serving' | 'starting';
  /** The clients pause so long after each answer: what runs beside the stream, with what time that leaves, has to get on. */
  readonly pauseMs?: number;
  /** Runs beside the stream and brings the phase about; ends when the server is gone. */
  provoke?(victim: Victim): Promise<void>;
  /** Resolves when the phase has begun, or the server is gone. */
  begun(victim: Victim): Promise<unknown>;
  /** The kill comes at most so long after that, at random. */
  withinMs(victim: Victim): number;
  /** Whether the dead server was in it. */
  hit(victim: Victim): boolean;
}

/** LMDB's two first pages: of a link in which nothing was written yet. */
const EMPTY_LINK_BYTES = 2 * 4096;
/** While versions are made, which takes some of a core. */
const CALM_MS = 20;

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
    begun: ({ server }) => until(server, () => draftsIn(journalOf(server)).length > 0),
    withinMs: () => 4,
    hit: ({ server }) => {
      const folder = journalOf(server);
      const links = readdirSync(folder).filter((name) => name.endsWith('.mdb'));
      const last = links.sort().at(-1) ?? '';
      return draftsIn(folder).length > 0 || statSync(join(folder, last)).size <= EMPTY_LINK_BYTES;
    },
  },
  {
    name: 'load',
    during: 'serving',
    provoke: ({ server, comer }) => comer.run(server),
    begun: ({ server }) =>
      until(server, async () => (await modelState(server.client, Comer.NAME)) === ModelState.MODEL_STATE_LOADING),
    withinMs: () => 60,
    hit: ({ comer }) => comer.loading,
  },
  {
    name: 'checkpoint',
    during: 'serving',
    provoke: ({ server }) => saveOften(server),
    begun: ({ server }) => until(server, () => draftsIn(checkpointsOf(server)).length > 0),
    withinMs: () => 20,
    hit: ({ server }) => draftsIn(checkpointsOf(server)).length > 0,
  },
  {
    name: 'promotion',
    during: 'serving',
    pauseMs: CALM_MS,
    provoke: ({ server, versions }) => versions.refit(server),
    begun: ({ server, versions }) => until(server, () => versions.isIn('fuse', server, 'save')),
    withinMs: () => 100,
    hit: ({ server, versions }) => versions.isIn('fuse', server, 'save'),
  },
  {
    name: 'promotion at its record',
    during: 'serving',
    pauseMs: CALM_MS,
    provoke: ({ server, versions }) => versions.refit(server),
    begun: ({ server, versions }) => until(server, () => versions.isIn('fuse', server, 'join')),
    withinMs: () => 100,
    hit: ({ server, versions }) => versions.isIn('fuse', server, 'join'),
  },
  {
    name: 'rollback',
    during: 'serving',
    pauseMs: CALM_MS,
    provoke: ({ server, versions }) => versions.rollBack(server),
    begun: ({ server, versions }) => until(server, () => versions.isIn('rollback', server, 'save')),
    withinMs: () => 100,
    hit: ({ server, versions }) => versions.isIn('rollback', server, 'save'),
  },
  {
    name: 'replay',
    during: 'starting',
    begun: ({ server }) => server.logged('that it replays', ({ phase }) => phase === 'replay'),
    withinMs: ({ replayMs }) => replayMs / 2,
    hit: ({ server }) =>
      server.log.some(({ phase }) => phase === 'replay') && !server.log.some(({ msg }) => msg === 'ready'),
  },
  {
    name: 'forgetting',
    during: 'serving',
    provoke: ({ server, ledger, leaver }) => leaver.run(server, ledger),
    begun: ({ server, leaver }) => until(server, () => leaver.isLeaving(server)),
    withinMs: () => 300,
    hit: ({ server, leaver }) => leaver.isLeaving(server),
  },
];

async function saveOften(server: ServerProcess): Promise<void> {
  const client = server.connect();
  const isSaved = () =>
    client.createCheckpoint().then(
      () => true,
      () => false,
    );
  while (await isSaved()) await sleep(20);
  client.close();
}

function journalOf({ data }: ServerProcess): string {
  return join(data, 'journal');
}

function checkpointsOf({ data }: ServerProcess): string {
  return join(data, 'state');
}

/** Files of a folder that have not got their name yet. */
function draftsIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).filter((name) => name.includes('.new')) : [];
}

/** Looks as often as it can until something is so, or the server is gone. */
async function until(server: ServerProcess, is: () => boolean | Promise<boolean>): Promise<void> {
  let isGone = false;
  void server.exited.then(() => (isGone = true));
  while (!isGone && !(await is())) await sleep(1);
}
