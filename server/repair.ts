import { existsSync, renameSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { type ConfigSources, loadConfig } from './config/load.ts';
import { journalFolder, stateFolder } from './container/shared.ts';
import { AccreteError } from './errors.ts';
import { revisionText } from './memory/revisions.ts';
import { CheckpointFolder } from './store/checkpoints/checkpoint-folder.ts';
import { makeFolderDurably, namesIn, syncToDisk } from './store/durable-files.ts';
import { requireReadable } from './store/format.ts';
import { firstRevisionOf } from './store/link-chain.ts';
import { StoreLock } from './store/lock.ts';
import { repairJournal } from './store/repair.ts';
import { type RepairPlan, type RevisionRange, surveyJournal } from './store/repair-plan.ts';
import { usableBases } from './teaching/restoring.ts';

/** `server/main.ts --repair`: makes a journal usable again that is damaged and of which there is no backup. */

export interface Repair {
  /** The data folder. */
  readonly path: string;
  /** Why its journal cannot be used; absent: it can, and nothing is to be done. */
  readonly damage?: string;
  readonly keep: Kept;
  /** Records before those that are kept: they go, and what was learned of them stays, with a checkpoint. */
  readonly past: Kept & { readonly readable: number; readonly checkpoint: string };
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
    await repairJournal(journalFolder(path), plan.journal, movedTo);
    return { ...found, movedTo };
  } finally {
    lock.release();
  }
}

/** What damage to the journal comes to, for those whose server does not start: what could be kept without a backup. */
export function withAdvice(error: AccreteError, data: string): AccreteError {
  if (error.reason !== 'STORE_DAMAGED') return error;
  const plan = findPlan(data);
  if (!plan?.damage) return error;
  const advice = `accrete doctor --repair ${adviseOn(plan)}`;
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

/** What a repair would do, in a few words. */
function adviseOn({ keep, past, drop }: Repair): string {
  if (past.records === 0) return `would keep ${say(keep)} and drop ${say(drop)}`;
  const learned = `what the checkpoint at revision ${Number(past.checkpoint)} has learned of ${rangeOf(past)}`;
  return `would keep ${say(keep)}, keep ${learned} but not these records, and drop ${say(drop)}`;
}

function say(range: Kept): string {
  return range.records === 0 ? 'nothing' : `${rangeOf(range)} (with ${range.ratings} ratings and events)`;
}

function rangeOf({ from, to }: Kept): string {
  return `revisions ${Number(from)}..${Number(to)}`;
}

interface StorePlan {
  readonly journal: RepairPlan;
  /** Why the store cannot be used; undefined: it can. */
  readonly damage: string | undefined;
  /** Checkpoints, and files of versions of models, beyond what is kept of the journal: what they learned is another one. */
  readonly ahead: readonly string[];
}

function planStore(path: string): StorePlan {
  const survey = surveyJournal(journalFolder(path));
  const folder = stateFolder(path);
  const names = namesIn(folder, { below: true });
  const aheadOf = (revision: number) => names.filter((name) => revisionOf(name) > revision);
  const asItIs = survey.plan([]);
  const last = asItIs.keep.to;
  const [beyond] = aheadOf(last);
  const damage = asItIs.damage?.what ?? (beyond && `${beyond} goes beyond revision ${last}, where the journal ends`);
  if (!damage) return { journal: asItIs, damage, ahead: [] };
  const journal = survey.plan(wholeCheckpoints(folder));
  return { journal, damage, ahead: aheadOf(journal.keep.to) };
}

/** The revisions of those checkpoints whose every piece is as it was written, the latest first. */
function wholeCheckpoints(path: string): number[] {
  const folder = new CheckpointFolder(path);
  const whole: number[] = [];
  for (const { revision } of usableBases(folder, folder.revisions, 0, () => {})) whole.push(revision);
  folder.close();
  return whole;
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

function describe(path: string, { journal, damage, ahead }: StorePlan): Repair {
  const { keep, past, taken, rewritten } = journal;
  // A checkpoint tells of records of which the journal has no trace.
  const drop = { ...journal.drop, to: Math.max(journal.drop.to, ...ahead.map(revisionOf)) };
  return {
    path,
    ...(damage && { damage }),
    keep: kept(keep),
    past: { ...kept(past), readable: past.readable, checkpoint: past.to < past.from ? '' : textOf(past.checkpoint) },
    drop: { ...kept(drop), readable: drop.readable },
    files: { taken, rewritten: rewritten.map(({ as }) => as), checkpoints: ahead },
  };
}

function textOf(revision: number | undefined): string {
  return revision === undefined ? '' : revisionText(revision);
}

function kept({ from, to, ratings, bytes }: RevisionRange): Kept {
  const records = to - from + 1;
  const text = (revision: number) => (records > 0 ? revisionText(revision) : '');
  return { from: text(from), to: text(to), records, ratings, bytes };
}
