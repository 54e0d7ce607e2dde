import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LmdbJournal } from '../../server/store/lmdb-journal.ts';
import type { Lab } from '../laws/lab.ts';
import { flushTimes } from './appends.ts';
import { capturesOf, createLab, startSaver } from './capturing.ts';
import { quantile } from './pauses.ts';
import type { Report } from './report.ts';

/** What a checkpoint does to appends on the same disk: with one and without, in turn. */

const part = 'durability';
const USERS = 500_000;
const ITEMS = 5000;
const ROUNDS = 5;
const QUIET_MS = 3000;
/** About a batch of 500 ratings, and the time between two. */
const RECORD_BYTES = 20_000;
const EVERY_MS = 3;

export async function benchAppendsBeside(report: Report): Promise<void> {
  report.heading('Appends of 20 kB, one at a time, with a checkpoint written whole on the same disk, and without');
  const lab = await fill();
  const captures = capturesOf(lab);
  const folder = mkdtempSync(join(tmpdir(), 'accrete-bench-'));
  const journal = await LmdbJournal.open({ directory: join(folder, 'journal'), linkBytes: 2 ** 30 });
  const [quiet, busy, flushes]: number[][] = [[], [], []];
  try {
    for (let round = 0; round < ROUNDS; round++) {
      quiet.push(...(await append(journal, sleep(QUIET_MS))));
      flushes.push(...(await flushTimes(folder)));
      const path = join(folder, 'state');
      const worker = await startSaver(lab, path);
      worker.postMessage(captures.begin(true));
      const exit = once(worker, 'exit');
      busy.push(...(await append(journal, once(worker, 'message'))));
      await exit;
      captures.end(false);
      rmSync(path, { recursive: true });
    }
  } finally {
    await journal.close();
    rmSync(folder, { recursive: true });
  }
  const add = (name: string, value: number, more = {}) => report.add({ part, name, value, unit: 'ms', ...more });
  add('a write of 4 MiB and its way to the disk, the longest', quantile(flushes, 1));
  add(`an append without a checkpoint, p50 of ${quiet.length}`, quantile(quiet, 0.5));
  add('  p99', quantile(quiet, 0.99));
  add('  the longest', quantile(quiet, 1));
  add(`an append while one is written, p50 of ${busy.length}`, quantile(busy, 0.5));
  add('  p99', quantile(busy, 0.99));
  const delay = Math.max(2 * quantile(quiet, 0.99), quantile(flushes, 1));
  add('  the longest', quantile(busy, 1), { target: { atMost: quantile(quiet, 0.5) + delay } });
}

async function fill(): Promise<Lab> {
  const lab = await createLab();
  for (let user = 0; user < USERS; user++)
    lab.teach({ user: `user-${user}`, item: `item-${user % ITEMS}`, value: 1 + (user % 5) });
  return lab;
}

/** Milliseconds that each append took until `end`. */
async function append(journal: LmdbJournal, end: Promise<unknown>): Promise<number[]> {
  let isOver = false;
  const ended = end.then(() => {
    isOver = true;
  });
  const record = Buffer.alloc(RECORD_BYTES, 7);
  const times: number[] = [];
  while (!isOver) {
    const beganMs = performance.now();
    await journal.append([record]);
    times.push(performance.now() - beganMs);
    await sleep(EVERY_MS);
  }
  await ended;
  return times;
}
