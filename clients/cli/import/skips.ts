import { Failure, type Fault } from '../failure.ts';
import type { BadRow } from './row-reader.ts';
import { nameOf } from './source.ts';

/** Skipped lines that are told one by one. */
const LINES_MAX = 20;

/** Lines of a file that an import leaves out, or that stop it. */
export class Skips {
  readonly #path: string;
  readonly #onError: 'stop' | 'skip';
  readonly #lines: Fault[] = [];
  #count = 0;

  constructor(path: string, onError: 'stop' | 'skip') {
    this.#path = path;
    this.#onError = onError;
  }

  get summary(): { readonly skipped: number; readonly skippedLines: readonly Fault[] } {
    return { skipped: this.#count, skippedLines: this.#lines };
  }

  /** Leaves a row out, or throws to stop. */
  passOver({ line, problem }: BadRow): void {
    if (this.#onError === 'stop') throw new Failure('BAD_LINE', `${nameOf(this.#path)} line ${line} ${problem}`);
    this.#add([{ field: `line ${line}`, description: problem }]);
  }

  /**
   * Takes a server's refusal of rows of the file, named as `prefix` names them (`ratings` in `ratings[17].value`).
   * Returns the rows that are left, if some were left out; throws to stop.
   */
  refuse<Row extends { readonly line: number }>(refusal: Failure, rows: readonly Row[], prefix: string): Row[] {
    const found = refusal.faults.map((fault) => placeOf(fault, rows.length, prefix));
    // Of very many the server names some; the others will be named when the rest is sent.
    const named = found.filter(({ row }) => row >= 0);
    const bad = new Set(named.map(({ row }) => row));
    if (bad.size === 0) throw refusal;
    const lines = named.map(({ row, field, description }) => ({
      field: `line ${rows[row].line}`,
      description: `${field} ${description}`,
    }));
    if (this.#onError === 'stop') {
      const more = named.length < found.length ? ', among them these' : '';
      throw new Failure(refusal.reason, `the server refused ${prefix} of ${nameOf(this.#path)}${more}`, lines);
    }
    this.#add(lines, bad.size);
    return rows.filter((_, row) => !bad.has(row));
  }

  #add(lines: readonly Fault[], count = lines.length): void {
    this.#count += count;
    this.#lines.push(...lines.slice(0, LINES_MAX - this.#lines.length));
  }
}

/** What to do about an import that failed; `done` says what of it holds. */
export function withAdvice({ reason, message, faults }: Failure, done: string): Failure {
  const isOfFile = reason === 'BAD_LINE';
  const what = isOfFile ? 'the file' : 'the file or the settings of the server (scale, kinds, limits)';
  const isOfLines = isOfFile || faults.length > 0;
  const advice = [message, isOfLines ? `correct ${what}, or leave such lines out with --on-error skip` : '', done];
  return new Failure(reason, advice.filter((text) => text !== '').join('; '), faults);
}

/** The row and the field of a fault in `ratings[17].value`; the row is -1 for any other fault. */
function placeOf({ field, description }: Fault, count: number, prefix: string): Fault & { readonly row: number } {
  const [, list, place, name = ''] = /^(\w+)\[(\d+)\]\.?(.*)$/.exec(field) ?? [];
  const row = Number(place ?? -1);
  if (list !== prefix || row < 0 || row >= count) return { row: -1, field, description };
  return { row, field: name, description };
}
