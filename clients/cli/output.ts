import type { Timestamp } from '../../proto/gen/google/protobuf/timestamp.ts';
import { Failure, UsageError } from './failure.ts';
import { type Column, renderTable, renderTabs } from './table.ts';

/** A part of what a command prints for people. */
export interface Table {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly string[])[];
}

/** Where a command prints: what it found on standard output, how it goes and what went wrong on standard error. */
export class Output {
  /** JSON for programs, in place of all else. */
  readonly json: boolean;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;

  constructor(json: boolean, stdout: NodeJS.WriteStream = process.stdout, stderr: NodeJS.WriteStream = process.stderr) {
    this.json = json;
    this.stdout = stdout;
    this.stderr = stderr;
  }

  /** One JSON document, or whatever `print` prints. */
  answer(document: unknown, print: () => void): void {
    if (!this.json) print();
    else this.stdout.write(`${JSON.stringify(document, undefined, this.stdout.isTTY ? 2 : undefined)}\n`);
  }

  /** One document of several, on a line of its own. */
  jsonLine(document: unknown): void {
    this.stdout.write(`${JSON.stringify(document)}\n`);
  }

  /** Aligned on a terminal; with tabs between the cells elsewhere. */
  table({ columns, rows }: Table): void {
    const { isTTY } = this.stdout;
    this.stdout.write(isTTY ? renderTable(columns, rows, this.stdout.hasColors()) : renderTabs(columns, rows));
  }

  line(text: string): void {
    this.stdout.write(`${text}\n`);
  }

  /** A remark that is no part of the result. */
  note(text: string): void {
    if (!this.json) this.stderr.write(`${text}\n`);
  }

  /** Tells why the command failed. */
  fail(thrown: unknown): void {
    const failure = asFailure(thrown);
    const text = this.json ? JSON.stringify({ error: failure }) : `accrete: ${failure}`;
    this.stderr.write(`${text}\n`);
  }
}

function asFailure(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown;
  if (thrown instanceof UsageError) return new Failure('USAGE', thrown.message);
  const error = thrown as NodeJS.ErrnoException;
  // Errors of the system (a missing file) have a code and say what; anything else is a fault of this program.
  const { code, message, path } = error;
  if (!code) return new Failure('FAULT', error.stack ?? String(thrown));
  const text = message.replace(`${code}: `, '');
  return new Failure(code, path === undefined ? text : `${path}: ${text.replace(/, \w+ '.*$/s, '')}`);
}

/** What is known of one thing, a fact in a row; what is empty is left out. */
export function factTable(facts: readonly (readonly [name: string, value: string])[]): Table {
  return { columns: [{ name: 'fact' }, { name: 'value' }], rows: facts.filter(([, value]) => value !== '') };
}

/** 1234567.8 as 1,234,568. */
export function formatCount(count: number | bigint): string {
  return (typeof count === 'number' ? Math.round(count) : count).toLocaleString('en-US');
}

/** Four digits after the point: enough to tell models apart. */
export function formatFigure(value: number | undefined): string {
  return value === undefined ? '' : value.toFixed(4);
}

/** When something was, to the second. */
export function formatDate(time: Pick<Timestamp, 'seconds'> | undefined): string {
  return time ? new Date(Number(time.seconds) * 1000).toISOString() : '';
}

/** `PREFIX_OF_THE_ENUM_REFUSED` as "refused". */
export function wordOf(words: Readonly<Record<string, number>>, value: number): string {
  const word = Object.keys(words).find((each) => words[each] === value) ?? '';
  return word.slice(word.lastIndexOf('_') + 1).toLowerCase();
}

/** Bytes in the unit that leaves few digits. */
export function formatBytes(bytes: bigint): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = Number(bytes);
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}
