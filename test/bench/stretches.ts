import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { Captures } from '../../server/learning/captures.ts';
import { Revisions } from '../../server/memory/revisions.ts';
import { loadPlugin } from '../../server/models/plugins.ts';
import type { Capture } from '../../server/store/checkpoints/capture.ts';
import type { Saved } from '../../server/store/checkpoints/save.ts';
import type { Deployment } from '../../server/store/deployment.ts';
import { Lab } from '../laws/lab.ts';
import { randomNumbers } from '../support/ratings.ts';
import { ofRounds, type Report } from './report.ts';

/**
 * What a checkpoint costs the thread that learns, in CPU time: marking the state at its begin and end, and a group of
 * ratings meanwhile beside one without. Users are drawn evenly, which is the worst that there is: every rating goes to rows
 * that were not touched before.
 */

const part = 'durability';
const USERS = 1_500_000;
const ITEMS = 20_000;
const GROUP = 20_000;
const BUDGET_MIB = 3072;
const ROUNDS = 3;
const SECTION_MS = 5;
export const DEPLOYMENT: Deployment = {
  rating: { min: 1, max: 5 },
  evaluation: { rankEvery: 1, window: 1 },
  models: [],
  defaultModel: '',
  kinds: {},
  configured: {},
  scenarios: new Map(),
};

export async function benchStretches(report: Report): Promise<void> {
  const mf = await loadPlugin('mf');
  const lab = new Lab(mf, mf.config.parse({ base: 'biases', ranking: 'taste', k: 64, replay: { count: 0 } }), {
    budgetMiB: BUDGET_MIB,
  });
  lab.arena.undo.reserve(lab.arena.budgetBytes, (bytes) => lab.arena.allocate(bytes));
  const draw = randomNumbers(1);
  const teach = (user: number) =>
    lab.teach({
      user: `user-${user}`,
      item: `item-${Math.floor(draw() ** 2 * ITEMS)}`,
      value: 1 + Math.floor(5 * draw()),
    });
  for (let user = 0; user < USERS; user++) teach(user);
  const group = () => {
    for (let n = 0; n < GROUP; n++) teach(Math.floor(draw() * USERS));
  };
  report.heading(
    `A checkpoint of ${Math.round(lab.arena.usedBytes / 2 ** 20)} MiB of memory, in the thread that learns`,
  );
  const captures = new Captures({
    arena: lab.arena,
    world: lab.world,
    models: () => [lab.model],
    deployment: () => DEPLOYMENT,
    revisions: new Revisions(lab.arena),
  });
  const path = mkdtempSync(join(tmpdir(), 'accrete-bench-'));
  const found: Record<string, number[]> = {};
  const note = (name: string, value: number) => {
    found[name] = [...(found[name] ?? []), value];
  };
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const idle = [0, 1, 2, 3, 4].map(() => cpuMs(group));
      const worker = new Worker(new URL('./saver.ts', import.meta.url), {
        workerData: { memory: lab.arena.memory, path },
      });
      await once(worker, 'message');
      let capture: Capture | undefined;
      note(
        'its begin, CPU',
        cpuMs(() => (capture = captures.begin(false))),
      );
      worker.postMessage(capture);
      let saved: Saved | undefined;
      worker.once('message', (message) => (saved = message));
      const exit = once(worker, 'exit');
      const [busy, walls]: number[][] = [[], []];
      while (!saved) {
        const began = performance.now();
        busy.push(cpuMs(group));
        walls.push(performance.now() - began);
        await new Promise(setImmediate);
      }
      await exit;
      note(
        'its end, CPU',
        cpuMs(() => captures.end(true)),
      );
      lab.world.reclaimer.collect();
      note(`a group of ${GROUP} without, CPU`, Math.min(...idle));
      note('  meanwhile, CPU, the longest', Math.max(...busy));
      note('  meanwhile, the longest', Math.max(...walls));
    }
    for (const [name, rounds] of Object.entries(found)) {
      const target = name.startsWith('its') ? { target: { atMost: SECTION_MS } } : {};
      report.add({ part, name, ...ofRounds(rounds), unit: 'ms', ...target });
    }
  } finally {
    rmSync(path, { recursive: true });
  }
}

/** CPU time of this thread. */
function cpuMs(work: () => void): number {
  const before = cpuNow();
  work();
  return cpuNow() - before;
}

const SLEEPER = new Int32Array(new SharedArrayBuffer(4));

/** The system counts nanoseconds, but only when a thread gives way; what Node tells moves by several milliseconds. */
function cpuNow(): number {
  Atomics.wait(SLEEPER, 0, 0, 0.01);
  try {
    return Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[0]) / 1e6;
  } catch {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1000;
  }
}
