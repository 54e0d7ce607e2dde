import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { Captures } from '../../server/learning/captures.ts';
import { Revisions } from '../../server/memory/revisions.ts';
import { loadPlugin } from '../../server/models/plugins.ts';
import { LmdbJournal } from '../../server/store/lmdb-journal.ts';
import { Lab } from '../laws/lab.ts';
import { flushTimes } from './appends.ts';
import { quantile } from './pauses.ts';
import type { Report } from './report.ts';
import { DEPLOYMENT } from './stretches.ts';

/** What a checkpoint does to appends on the same disk: with one and without, in turn. */

const part = 'durability';
const USERS = 500_000;
const ITEMS = 5000;
const BUDGET_MIB = 2048;
const ROUNDS = 5;
const QUIET_MS = 3000;
/** About a batch of 500 ratings, and the time between two. */
const RECORD_BYTES = 20_000;
const EVERY_MS = 3;

export async function benchAppendsBeside(report: Report): Promise<void> {
  report.heading('Appends of 20 kB, one at a time, with a checkpoint written whole on the same disk, and without');
  const lab = await fill();
  const captures = new Captures({
    arena: lab.arena,
    world: lab.world,
    models: () => [lab.model],
    deployment: () => DEPLOYMENT,
    revisions: new Revisions(lab.arena),
  });
  const folder = mkdtempSync(join(tmpdir(), 'accrete-bench-'));
  const journal = await LmdbJournal.open({ directory: join(folder, 'journal'), linkBytes: 2 ** 30 });
  const [quiet, busy, flushes]: number[][] = [[], [], []];
  try {
    for (let round = 0; round < ROUNDS; round++) {
      quiet.push(...(await append(journal, sleep(QUIET_MS))));
      flushes.push(...(await flushTimes(folder)));
      const path = join(folder, 'state');
      const worker = new Worker(new URL('./saver.ts', import.meta.url), {
        workerData: { memory: lab.arena.memory, path },
      });
      await once(worker, 'message');
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
  const mf = await loadPlugin('mf');
  const lab = new Lab(mf, mf.config.parse({ base: 'biases', ranking: 'taste', k: 64, replay: { count: 0 } }), {
    budgetMiB: BUDGET_MIB,
  });
  lab.arena.undo.reserve(lab.arena.budgetBytes, (bytes) => lab.arena.allocate(bytes));
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
