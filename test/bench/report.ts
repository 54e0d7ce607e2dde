import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';

/** What a run of the benchmarks found: printed as it comes, and kept as JSON. */

export interface Figure {
  readonly part: string;
  readonly name: string;
  readonly value: number;
  /** "" for a share or a ratio. */
  readonly unit: string;
  /** Lowest and highest of the rounds that `value` is the median of. */
  readonly spread?: readonly [number, number];
  /** Lower and upper bound of a 95% interval. */
  readonly interval?: readonly [number, number];
  readonly target?: Target;
  /** Of the model's configuration, and that of its inputs. */
  readonly configHash?: string;
}

export type Target = { readonly atMost: number } | { readonly atLeast: number };

export function meets(value: number, target: Target): boolean {
  return 'atMost' in target ? value <= target.atMost : value >= target.atLeast;
}

/** The median of several rounds, with its spread. */
export function ofRounds(rounds: readonly number[]): Pick<Figure, 'value' | 'spread'> {
  const sorted = [...rounds].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const value = (sorted[Math.ceil(middle) - 1] + sorted[Math.floor(middle)]) / 2;
  return { value, spread: [sorted[0], sorted[sorted.length - 1]] };
}

export class Report {
  readonly #figures: Figure[] = [];
  readonly #notes: string[] = [];
  readonly #startedMs = Date.now();
  /** Of the minute before: what else the machine was doing. */
  readonly #loadBefore = loadavg()[0];

  constructor() {
    const cores = availableParallelism();
    if (this.#loadBefore <= cores) return;
    const load = numberText(this.#loadBefore);
    this.note(`the machine was busy before the run (load ${load} on ${cores} cores): figures of time say little`);
  }

  heading(text: string): void {
    console.log(`\n${text}`);
  }

  add(figure: Figure): void {
    this.#figures.push(figure);
    console.log(`  ${lineOf(figure)}`);
  }

  /** Something to know when reading the figures, such as what could not be measured. */
  note(text: string): void {
    this.#notes.push(text);
    console.log(`  ! ${text}`);
  }

  /** How many figures have a target, and how many of these meet it. */
  get targets(): { readonly met: number; readonly of: number } {
    const verdicts = this.#figures.flatMap(({ value, target }) => (target ? [meets(value, target)] : []));
    return { met: verdicts.filter(Boolean).length, of: verdicts.length };
  }

  /** Writes the figures into `folder`, as a file of their own, whose path it returns. */
  write(folder: string, parts: readonly string[]): string {
    const date = new Date(this.#startedMs).toISOString();
    const commit = findCommit();
    const seconds = Math.round((Date.now() - this.#startedMs) / 1000);
    const figures = this.#figures.map((figure) => ({
      ...figure,
      ...(figure.target && { met: meets(figure.value, figure.target) }),
    }));
    const machine = { ...describeMachine(), loadBefore: this.#loadBefore };
    const document = { date, commit, machine, parts, seconds, targets: this.targets };
    mkdirSync(folder, { recursive: true });
    const path = `${folder}/${date.slice(0, 19).replaceAll(':', '')}-${commit.slice(0, 12)}.json`;
    writeFileSync(path, `${JSON.stringify({ ...document, notes: this.#notes, figures }, undefined, 1)}\n`);
    return path;
  }
}

function lineOf({ name, value, unit, spread, interval, target, configHash }: Figure): string {
  const amount = `${numberText(value)} ${unit}`.trim();
  const [low, high] = interval ?? spread ?? [];
  const range =
    low === undefined || high === undefined
      ? ''
      : `${interval ? ', 95%' : ''} [${numberText(low)}, ${numberText(high)}]`;
  const verdict = target ? `${targetText(target)}: ${meets(value, target) ? 'met' : 'MISSED'}` : '';
  const config = configHash ? `config ${configHash}` : '';
  return `${name.padEnd(58)} ${(amount + range).padEnd(44)} ${verdict.padEnd(24)} ${config}`.trimEnd();
}

function targetText(target: Target): string {
  return 'atMost' in target ? `at most ${numberText(target.atMost)}` : `at least ${numberText(target.atLeast)}`;
}

/** Five digits; thousands are separated. */
function numberText(value: number): string {
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(value < 1 ? 4 : 5)));
}

/** The commit that was measured, with a plus where files differ from it. */
function findCommit(): string {
  const git = (...args: string[]) => execFileSync('git', args, { encoding: 'utf8', stdio: 'pipe' }).trim();
  try {
    const changed = git('status', '--porcelain') !== '';
    return `${git('rev-parse', '--short=12', 'HEAD')}${changed ? '+' : ''}`;
  } catch {
    return 'none';
  }
}

function describeMachine(): Readonly<Record<string, string | number>> {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform} ${process.arch}`,
    node: process.version,
  };
}
