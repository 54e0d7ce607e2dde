import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Capture } from '../../server/store/checkpoints/capture.ts';
import type { Saved } from '../../server/store/checkpoints/save.ts';
import { randomNumbers } from '../support/ratings.ts';
import { capturesOf, createLab, startSaver } from './capturing.ts';
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
const ROUNDS = 3;
const SECTION_MS = 5;

export async function benchStretches(report: Report): Promise<void> {
  const lab = await createLab();
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
  const captures = capturesOf(lab);
  const path = mkdtempSync(join(tmpdir(), 'accrete-bench-'));
  const found: Record<string, number[]> = {};
  const note = (name: string, value: number) => {
    found[name] = [...(found[name] ?? []), value];
  };
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const idle = [0, 1, 2, 3, 4].map(() => cpuMs(group));
      const worker = await startSaver(lab, path);
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
