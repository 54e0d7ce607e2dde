import cliProgress from 'cli-progress';
import type { Progress as ServerProgress } from '../../proto/gen/accrete/v1/progress.ts';
import { formatCount, type Output } from './output.ts';

/** How far long work has come. */
export interface WorkState {
  /** What is counted: "ratings". */
  readonly unit: string;
  readonly done: number;
  /** How much of the whole it is, and how much the whole is; the unit does not matter. */
  readonly position: number;
  readonly total: number | undefined;
  readonly seconds: number;
  /** What is being done, where work has several parts. */
  readonly phase?: string;
  /** Where the server says it; else it follows from the speed until now. */
  readonly secondsLeft?: number;
}

/** Shows how work goes. */
export interface Progress {
  update(state: WorkState): void;
  stop(): void;
}

/** Where nothing may be shown. */
export const SILENT: Progress = { update: () => {}, stop: () => {} };

/** Between two lines, where there is no terminal. */
const LINE_SECONDS = 5;

/**
 * A bar on a terminal, a line every few seconds elsewhere, JSON Lines for programs; nothing where it would stand in the
 * middle of data that are written to standard output.
 */
export function createProgress(output: Output, writesData = false): Progress {
  if (writesData && (output.json || output.stdout.isTTY)) return SILENT;
  if (output.json) return new Lines((state) => output.jsonLine({ progress: { ...state, ...outlook(state) } }));
  return output.stderr.isTTY ? new Bar(output.stderr) : new Lines((state) => output.note(describe(state)));
}

class Lines implements Progress {
  readonly #print: (state: WorkState) => void;
  #nextSeconds = LINE_SECONDS;

  constructor(print: (state: WorkState) => void) {
    this.#print = print;
  }

  update(state: WorkState): void {
    if (state.seconds < this.#nextSeconds) return;
    this.#nextSeconds = state.seconds + LINE_SECONDS;
    this.#print(state);
  }

  stop(): void {}
}

class Bar implements Progress {
  readonly #bar: cliProgress.SingleBar;
  #state: WorkState | undefined;

  constructor(stream: NodeJS.WriteStream) {
    const format: cliProgress.GenericFormatter = ({ barsize = 0 }, { progress }) => {
      const done = Math.round(progress * barsize);
      const bar = this.#state?.total === undefined ? '' : `${'█'.repeat(done)}${'░'.repeat(barsize - done)} `;
      return `${bar}${this.#state ? describe(this.#state) : ''}`;
    };
    this.#bar = new cliProgress.SingleBar({ stream, format, barsize: 30, linewrap: true, gracefulExit: false });
  }

  update(state: WorkState): void {
    const first = this.#state === undefined;
    this.#state = state;
    if (first) this.#bar.start(state.total ?? 1, state.position);
    else this.#bar.setTotal(state.total ?? 1);
    this.#bar.update(state.position);
  }

  stop(): void {
    if (this.#state) this.#bar.stop();
  }
}

/** What a server tells of its work. */
export function stateOf(progress: ServerProgress, seconds: number): WorkState {
  const { phase, unit, remaining } = progress;
  const [done, total] = [Number(progress.completed), Number(progress.total)];
  const secondsLeft = remaining && Math.round(Number(remaining.seconds) + remaining.nanos / 1e9);
  return { unit, done, position: done, total: total || undefined, seconds, phase, secondsLeft };
}

interface Outlook {
  readonly perSecond: number;
  readonly percent?: number;
  readonly secondsLeft?: number;
}

function outlook({ done, position, total, seconds, secondsLeft }: WorkState): Outlook {
  const perSecond = seconds > 0 ? Math.round(done / seconds) : 0;
  if (!total || position === 0) return { perSecond, ...(secondsLeft !== undefined && { secondsLeft }) };
  const share = position / total;
  const left = secondsLeft ?? (seconds > 0 ? Math.round(seconds / share - seconds) : undefined);
  return { perSecond, percent: Math.round(share * 100), ...(left !== undefined && { secondsLeft: left }) };
}

/** In words: `25% | 50 records | 5/s | 2 min left`. */
export function describe(state: WorkState): string {
  const { perSecond, percent, secondsLeft } = outlook(state);
  const parts = [`${formatCount(state.done)} ${state.unit}`];
  if (state.seconds > 0) parts.push(`${formatCount(perSecond)}/s`);
  if (percent !== undefined) parts.unshift(`${percent}%`);
  if (state.phase) parts.unshift(state.phase);
  if (secondsLeft !== undefined) parts.push(`${formatTime(secondsLeft)} left`);
  return parts.join(' | ');
}

/** Seconds in the unit that leaves few digits. */
export function formatTime(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
