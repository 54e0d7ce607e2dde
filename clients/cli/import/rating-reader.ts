import type { Columns } from './columns.ts';
import { splitFields } from './fields.ts';
import { findLayout, type Layout } from './layout.ts';
import { LINE_BYTES_MAX, type Line } from './lines.ts';
import { type FileRating, readRating } from './rating-row.ts';

/** A row of a file that is no rating. */
export interface BadRow {
  readonly line: number;
  /** What is wrong, to follow "line 17 ": "is not UTF-8". */
  readonly problem: string;
}

export type Row = FileRating | BadRow;

/** The file as a whole cannot be read. */
export class LayoutError extends Error {}

/** Makes rows of lines. The first one says how; blank lines are passed over. */
export class RatingReader {
  readonly #named: Columns | undefined;
  #layout: Layout | undefined;
  /** A row whose quoted field goes on in the next line. */
  #open: { readonly line: number; readonly text: string } | undefined;

  /** `named`: the columns, where the file does not say. */
  constructor(named?: Columns) {
    this.#named = named;
  }

  /** Throws LayoutError when the first row is neither a header nor a rating. */
  read(lines: readonly Line[]): Row[] {
    return lines.flatMap((line) => this.#readLine(line) ?? []);
  }

  /** What is left when no more lines come. */
  end(): Row[] {
    if (!this.#open) return [];
    const { line } = this.#open;
    this.#open = undefined;
    return [{ line, problem: 'begins a quoted field that is never closed' }];
  }

  #readLine({ number, text, problem }: Line): Row | undefined {
    const row = this.#open ? { line: this.#open.line, text: `${this.#open.text}\n${text}` } : { line: number, text };
    this.#open = undefined;
    if (problem) return { line: number, problem };
    if (row.text.trim() === '') return undefined;
    if (this.#layout) return this.#readRow(row.line, row.text, this.#layout);
    const layout = findLayout(text, this.#named);
    if (typeof layout === 'string') throw new LayoutError(`line ${number} ${layout}`);
    this.#layout = layout;
    return layout.header ? undefined : this.#readRow(number, text, layout);
  }

  #readRow(line: number, text: string, { separator, columns, width }: Layout): Row | undefined {
    const fields = splitFields(text, separator);
    if (fields === 'open') return this.#leaveOpen(line, text);
    if (fields === 'broken') return { line, problem: 'has text between a closing quote and the next comma' };
    if (fields.length !== width) return { line, problem: `has ${fields.length} instead of ${width} fields` };
    const rating = readRating(fields, columns, line);
    return typeof rating === 'string' ? { line, problem: `is no rating: ${rating}` } : rating;
  }

  #leaveOpen(line: number, text: string): BadRow | undefined {
    if (text.length > LINE_BYTES_MAX)
      return { line, problem: `begins a quoted field that is not closed within ${LINE_BYTES_MAX} bytes` };
    this.#open = { line, text };
    return undefined;
  }
}
