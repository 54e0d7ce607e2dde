import { existsSync, readdirSync, renameSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { type ConfigSources, loadConfig } from './config/load.ts';
import { journalFolder, stateFolder } from './container/shared.ts';
import { AccreteError } from './errors.ts';
import { revisionText } from './memory/revisions.ts';
import { makeFolderDurably, syncToDisk } from './store/durable-files.ts';
import { requireReadable } from './store/format.ts';
import { firstRevisionOf } from './store/link-chain.ts';
import { StoreLock } from './store/lock.ts';
import { repairJournal } from './store/repair.ts';
import { planRepair, type RepairPlan, type RevisionRange } from './store/repair-plan.ts';

/** `server/main.ts --repair`: makes a journal usable again that is damaged and of which there is no backup. */

export interface Repair {
  /** The data folder. */
  readonly path: string;
  /** Why its journal cannot be used; absent: it can, and nothing is to be done. */
  readonly damage?: string;
  readonly keep: Kept;
  readonly drop: Kept & { readonly readable: number };
  /** Files of the journal, and checkpoints and versions of models that go beyond what is kept of it. */
  readonly files: {
    readonly taken: readonly string[];
    readonly rewritten: readonly string[];
    readonly checkpoints: readonly string[];
  };
  /** Where the files are that were taken or written anew; absent: nothing was changed. */
  readonly movedTo?: string;
}

interface Kept {
  /** Revisions; "" when there are none. */
  readonly from: string;
  readonly to: string;
  readonly records: number;
  /** Ratings and events in those that can be read. */
  readonly ratings: number;
  readonly bytes: number;
}

export interface RepairOptions extends ConfigSources {
  /** Whether it only says what it would do. */
  readonly dryRun: boolean;
}

/** Throws STORE_IN_USE while a server uses the store, and what a start throws for its format. */
export async function repair({ dryRun, ...sources }: RepairOptions): Promise<Repair> {
  const path = resolve(loadConfig(sources).config.data);
  if (!existsSync(path)) return describe(path, planStore(path));
  const lock = await StoreLock.acquire(path);
  try {
    requireReadable(path);
    const plan = planStore(path);
    const found = describe(path, plan);
    if (!found.damage || dryRun) return found;
    const movedTo = join(path, `damaged-${new Date().toISOString().replace(/[:.]/g, '-')}`);
    // First: without them the journal still says that it is damaged.
    await takeCheckpoints(path, plan.ahead, movedTo);
    if (plan.journal.damage) await repairJournal(journalFolder(path), plan.journal, movedTo);
    return { ...found, movedTo };
  } finally {
    lock.release();
  }
}

/** What damage to the journal comes to, for those whose server does not start: what could be kept without a backup. */
export function withAdvice(error: AccreteError, data: string): AccreteError {
  if (error.reason !== 'STORE_DAMAGED') return error;
  const { damage, keep, drop } = findPlan(data) ?? {};
  if (!damage || !keep || !drop) return error;
  const advice = `accrete doctor --repair would keep ${say(keep)} and drop ${say(drop)}`;
  const { metadata, cause } = error;
  return new AccreteError('STORE_DAMAGED', `${error.message}. Without a backup: ${advice}`, { metadata, cause });
}

/** Undefined where the files cannot even be looked at: what failed before says more. */
function findPlan(data: string): Repair | undefined {
  try {
    return describe(data, planStore(data));
  } catch {
    return undefined;
  }
}

function say({ from, to, records, ratings }: Kept): string {
  return records === 0 ? 'nothing' : `revisions ${Number(from)}..${Number(to)} (with ${ratings} ratings and events)`;
}

interface StorePlan {
  readonly journal: RepairPlan;
  /** Checkpoints, and files of versions of models, beyond what is kept of the journal: what they learned is another one. */
  readonly ahead: readonly string[];
}

function planStore(path: string): StorePlan {
  const journal = planRepair(journalFolder(path));
  const folder = stateFolder(path);
  const names = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }) : [];
  return { journal, ahead: names.filter((name) => revisionOf(name) > journal.keep.to) };
}

/** 0: it is no file of tables. */
function revisionOf(path: string): number {
  return firstRevisionOf(basename(path)) ?? 0;
}

async function takeCheckpoints(path: string, names: readonly string[], movedTo: string): Promise<void> {
  const folder = stateFolder(path);
  const takenTo = join(movedTo, basename(folder));
  for (const name of names) {
    await makeFolderDurably(dirname(join(takenTo, name)));
    renameSync(join(folder, name), join(takenTo, name));
    await syncToDisk(dirname(join(folder, name)));
  }
}

function describe(path: string, { journal, ahead }: StorePlan): Repair {
  const { keep, taken, rewritten } = journal;
  // A checkpoint tells of records of which the journal has no trace.
  const drop = { ...journal.drop, to: Math.max(journal.drop.to, ...ahead.map(revisionOf)) };
  const beyond = ahead.length > 0 ? `${ahead[0]} goes beyond revision ${keep.to}, where the journal ends` : undefined;
  const damage = journal.damage?.what ?? beyond;
  return {
    path,
    ...(damage && { damage }),
    keep: kept(keep),
    drop: { ...kept(drop), readable: drop.readable },
    files: { taken, rewritten: rewritten.map(({ name }) => name), checkpoints: ahead },
  };
}

function kept({ from, to, ratings, bytes }: RevisionRange): Kept {
  const records = to - from + 1;
  const text = (revision: number) => (records > 0 ? revisionText(revision) : '');
  return { from: text(from), to: text(to), records, ratings, bytes };
}
