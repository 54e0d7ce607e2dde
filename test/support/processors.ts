import { readFileSync } from 'node:fs';

/** Whose the time of the processors was, from what Linux tells, in ticks of 10 ms. */

const TICKS = 100;

/** CPU seconds of a process, with its threads that have ended; NaN where the system does not tell. */
export function cpuSeconds({ pid }: { readonly pid: number }): number {
  try {
    const [, rest] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
    const [user, system] = rest.split(' ').slice(11, 13).map(Number);
    return (user + system) / TICKS;
  } catch {
    return Number.NaN;
  }
}

/** How much of the machine is left to this process and another one, by what all the rest take: 1 where they are alone. */
export class Share {
  readonly #other: { readonly pid: number };
  readonly #start: Times;

  constructor(other: { readonly pid: number }) {
    this.#other = other;
    this.#start = this.#times();
  }

  /** Since it was made; `ended`: CPU seconds of processes of ours that have ended meanwhile. */
  left(ended: number): number {
    const { total, idle, ours } = this.#times();
    const free = idle - this.#start.idle + (ours - this.#start.ours) + ended;
    return Math.min(1, free / (total - this.#start.total));
  }

  #times(): Times {
    // user, nice, system, idle, iowait, irq, softirq, steal; what guests take is in the first two.
    const [first] = readFileSync('/proc/stat', 'utf8').split('\n');
    const seconds = first
      .split(/\s+/)
      .slice(1, 9)
      .map((ticks) => Number(ticks) / TICKS);
    const { user, system } = process.cpuUsage();
    return {
      total: seconds.reduce((sum, each) => sum + each, 0),
      idle: seconds[3] + seconds[4],
      ours: cpuSeconds(this.#other) + (user + system) / 1e6,
    };
  }
}

interface Times {
  readonly total: number;
  readonly idle: number;
  readonly ours: number;
}
