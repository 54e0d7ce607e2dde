import cliProgress from 'cli-progress';
import { formatCount, type Output } from '../output.ts';

/** How far an import has come. */
export interface ImportState {
  /** Ratings with an answer. */
  readonly ratings: number;
  /** How much of the file they are, and how much it is; the unit does not matter. */
  readonly position: number;
  readonly total: number | undefined;
  readonly seconds: number;
}

/** Shows how an import goes. */
export interface Progress {
  update(state: ImportState): void;
  stop(): void;
}

/** Between two lines, where there is no terminal. */
const LINE_SECONDS = 5;

/** A bar on a terminal, a line every few seconds elsewhere, JSON Lines for programs. */
export function createProgress(output: Output): Progress {
  if (output.json) return new Lines((state) => output.jsonLine({ progress: { ...state, ...outlook(state) } }));
  return output.stderr.isTTY ? new Bar(output.stderr) : new Lines((state) => output.note(describe(state)));
}

class Lines implements Progress {
  readonly #print: (state: ImportState) => void;
  #nextSeconds = LINE_SECONDS;

  constructor(print: (state: ImportState) => void) {
    this.#print = print;
  }

  update(state: ImportState): void {
    if (state.seconds < this.#nextSeconds) return;
    this.#nextSeconds = state.seconds + LINE_SECONDS;
    this.#print(state);
  }

  stop(): void {}
}

class Bar implements Progress {
  readonly #bar: cliProgress.SingleBar;
  #state: ImportState | undefined;

  constructor(stream: NodeJS.WriteStream) {
    const format: cliProgress.GenericFormatter = ({ barsize = 0 }, { progress }) => {
      const done = Math.round(progress * barsize);
      const bar = this.#state?.total === undefined ? '' : `${'█'.repeat(done)}${'░'.repeat(barsize - done)} `;
      return `${bar}${this.#state ? describe(this.#state) : ''}`;
    };
    this.#bar = new cliProgress.SingleBar({ stream, format, barsize: 30, linewrap: true, gracefulExit: false });
  }

  update(state: ImportState): void {
    const first = this.#state === undefined;
    this.#state = state;
    if (first) this.#bar.start(state.total ?? 1, state.position);
    else this.#bar.update(state.position);
  }

  stop(): void {
    if (this.#state) this.#bar.stop();
  }
}

interface Outlook {
  readonly ratingsPerSecond: number;
  readonly percent?: number;
  readonly secondsLeft?: number;
}

function outlook({ ratings, position, total, seconds }: ImportState): Outlook {
  const ratingsPerSecond = seconds > 0 ? Math.round(ratings / seconds) : 0;
  if (!total || position === 0) return { ratingsPerSecond };
  const share = position / total;
  return { ratingsPerSecond, percent: Math.round(share * 100), secondsLeft: Math.round(seconds / share - seconds) };
}

function describe(state: ImportState): string {
  const { ratingsPerSecond, percent, secondsLeft } = outlook(state);
  const parts = [`${formatCount(state.ratings)} ratings`, `${formatCount(ratingsPerSecond)}/s`];
  if (percent !== undefined) parts.unshift(`${percent}%`);
  if (secondsLeft !== undefined) parts.push(`${formatTime(secondsLeft)} left`);
  return parts.join(' | ');
}

function formatTime(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
