import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { AccreteError } from '../errors.ts';
import { Jobs } from './jobs.ts';
import type { JobKind, JobStep } from './messages.ts';

const FOREVER = new AbortController().signal;

/** Jobs that count to a number, and then do something. */
function makeJobs(max = 2, onWarning = (_kind: JobKind, _what: string) => {}) {
  const made = new Int32Array(new SharedArrayBuffer(4));
  const workers: Worker[] = [];
  const jobs = new Jobs(
    max,
    ({ task }) => {
      const worker = new Worker(new URL('./testing/thread.ts', import.meta.url), { workerData: { task, made } });
      workers.push(worker);
      return worker;
    },
    onWarning,
  );
  const run = (does: string, count: number, signal = FOREVER, kind: JobKind = 'export') =>
    jobs.run(kind, { does, count } as never, signal) as unknown as AsyncGenerator<JobStep<number>, void>;
  return { jobs, made, run, areGone: () => workers.every((worker) => worker.threadId === -1) };
}

async function itemsOf(steps: AsyncIterable<JobStep<number>>): Promise<number[]> {
  const items: number[] = [];
  for await (const step of steps) if (step.type === 'item') items.push(step.item);
  return items;
}

const isReason = (reason: string) => (error: AccreteError) => error.reason === reason;

test('items come in order, with progress, and the thread ends', async () => {
  const { jobs, run, areGone } = makeJobs();
  const steps: JobStep<number>[] = [];
  for await (const step of run('end', 5)) steps.push(step);
  const items = steps.filter((step) => step.type === 'item').map(({ item }) => item);
  assert.deepEqual(items, [0, 1, 2, 3, 4]);
  assert(steps.some(({ type }) => type === 'progress'));
  assert.deepEqual([jobs.count, areGone()], [0, true]);
});

test('what a job goes on without is told aside', async () => {
  const warnings: string[] = [];
  const { run } = makeJobs(1, (kind, what) => warnings.push(`${kind}: ${what}`));
  assert.deepEqual(await itemsOf(run('warn', 2)), [0, 1]);
  assert.deepEqual(warnings, ['export: nothing']);
});

test('of a job that says nothing it is said every second how far it is', async () => {
  const { run } = makeJobs();
  const began = performance.now();
  const phases: string[] = [];
  for await (const step of run('spin', 0)) {
    if (step.type === 'progress') phases.push(step.progress.phase);
    if (phases.length === 2) break;
  }
  const tookMs = performance.now() - began;
  assert.deepEqual(phases, ['start', 'start']);
  assert(tookMs > 1500 && tookMs < 4000, `two took ${tookMs} ms`);
});

test('whoever reads the journal is known for as long as it does', async () => {
  const { jobs, run } = makeJobs();
  const saving = run('end', 1000, FOREVER, 'checkpoint');
  await saving.next();
  const seen = [jobs.readsJournal];
  const loading = run('end', 1000, FOREVER, 'load');
  await loading.next();
  seen.push(jobs.readsJournal);
  await loading.return();
  seen.push(jobs.readsJournal);
  await saving.return();
  assert.deepEqual(seen, [false, true, false]);
});

test('no more is made than what is taken, and two ahead', async () => {
  const { made, run } = makeJobs();
  const steps = run('end', 1000);
  let taken = 0;
  for await (const step of steps) {
    if (step.type === 'item' && ++taken < 3) continue;
    if (step.type !== 'item') continue;
    await sleep(50);
    assert(made[0] <= taken + 2, `${made[0]} items are made, and ${taken} are taken`);
    if (taken >= 6) break;
  }
});

test('what a job fails with reaches whoever takes its items, after them', async () => {
  const { run, areGone } = makeJobs();
  const items: number[] = [];
  const take = async (does: string) => {
    items.length = 0;
    for await (const step of run(does, 2)) if (step.type === 'item') items.push(step.item);
  };
  await assert.rejects(take('refuse'), (error: AccreteError) => {
    assert.deepEqual(
      [error.reason, error.message, error.metadata],
      ['STORE_DAMAGED', 'revision 3 is damaged', { revision: '3' }],
    );
    return true;
  });
  assert.deepEqual(items, [0, 1]);
  await assert.rejects(take('fail'), (error: AccreteError) => {
    assert.equal(error.reason, 'INTERNAL');
    assert.match(String((error.cause as Error).stack), /a mistake/);
    return true;
  });
  await assert.rejects(take('exit'), isReason('INTERNAL'));
  assert(areGone());
});

test('an abort cuts a job off at once, also amid its work', async () => {
  const { jobs, run, areGone } = makeJobs();
  const controller = new AbortController();
  const why = new Error('enough');
  setTimeout(() => controller.abort(why), 100);
  await assert.rejects(itemsOf(run('spin', 0, controller.signal)), why);
  assert.deepEqual([jobs.count, areGone()], [0, true]);
  await assert.rejects(itemsOf(run('end', 1, controller.signal)), why);
});

test('a loop that is left cuts its job off', async () => {
  const { jobs, run, areGone } = makeJobs();
  for await (const step of run('end', 1000)) if (step.type === 'item') break;
  assert.deepEqual([jobs.count, areGone()], [0, true]);
});

test('only so many of a kind run at once', async () => {
  const { jobs, run } = makeJobs(2);
  const controller = new AbortController();
  const running = [0, 1].map(() => itemsOf(run('spin', 0, controller.signal)));
  await assert.rejects(itemsOf(run('end', 1)), isReason('JOBS_FULL'));
  assert.equal(jobs.count, 2);
  assert.deepEqual(await itemsOf(run('end', 2, FOREVER, 'load')), [0, 1]);
  controller.abort(new Error('enough'));
  await Promise.allSettled(running);
  assert.deepEqual(await itemsOf(run('end', 1)), [0]);
});

test('whoever takes nothing holds up nobody', async () => {
  const { jobs, run, areGone } = makeJobs(1);
  const steps = run('end', 1000);
  await steps.next();
  await jobs.close();
  assert.deepEqual([jobs.count, areGone()], [0, true]);
  await assert.rejects(itemsOf(steps), isReason('DRAINING'));
});

test('closing ends all jobs, and none begins after it', async () => {
  const { jobs, run, areGone } = makeJobs(2);
  const running = [0, 1].map(() => assert.rejects(itemsOf(run('spin', 0)), isReason('DRAINING')));
  await sleep(50);
  await jobs.close();
  await Promise.all(running);
  assert(areGone());
  await assert.rejects(itemsOf(run('end', 1)), isReason('DRAINING'));
});
