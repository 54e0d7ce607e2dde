import { type Separator, splitFields } from './fields.ts';
import { type JsonObject, parseObject } from './json-object.ts';
import { LINE_BYTES_MAX, type Line } from './lines.ts';

/** A row of a file that is not what the file is of. */
export interface BadRow {
  readonly line: number;
  /** What is wrong, to follow "line 17 ": "is not UTF-8". */
  readonly problem: string;
}

/** What rows are made of a file, and how. */
export interface Form<Row> {
  /** What a row is called in messages: "rating". */
  readonly noun: string;
  /** Finds out from the first row how a file of fields is to be read, or why it cannot be ("is no header"). */
  readonly findLayout: (firstRow: string) => Layout<Row> | string;
  /** Makes a row of a line of JSON, or says what is wrong with it; `text` is the line. */
  readonly readObject: (object: JsonObject, line: number, text: string) => Row | string;
  /** The longest line, and the longest row of several lines, in bytes. Absent: as `LineSplitter` has it. */
  readonly bytesMax?: number;
}

/** How the rows of a file of fields are to be read. */
export interface Layout<Row> {
  readonly separator: Separator;
  /** Fields in every row. */
  readonly width: number;
  /** Whether the first row names the columns. */
  readonly header: boolean;
  /** Makes a row of fields, or says what is wrong with them. */
  readonly read: (fields: readonly string[], line: number) => Row | string;
}

/** The file as a whole cannot be read. */
export class LayoutError extends Error {}

/** Makes rows of lines: of fields, or of JSON. The first one says which; blank lines are passed over. */
export class RowReader<Row> {
  readonly #form: Form<Row>;
  #layout: Layout<Row> | 'json' | undefined;
  /** A row whose quoted field goes on in the next line. */
  #open: { readonly line: number; readonly text: string } | undefined;

  constructor(form: Form<Row>) {
    this.#form = form;
  }

  /** Throws LayoutError when the first row does not say how the others are to be read. */
  read(lines: readonly Line[]): (Row | BadRow)[] {
    return lines.flatMap((line) => this.#readLine(line) ?? []);
  }

  /** What is left when no more lines come. */
  end(): BadRow[] {
    if (!this.#open) return [];
    const { line } = this.#open;
    this.#open = undefined;
    return [{ line, problem: 'begins a quoted field that is never closed' }];
  }

  #readLine({ number, text, problem }: Line): Row | BadRow | undefined {
    const row = this.#open ? { line: this.#open.line, text: `${this.#open.text}\n${text}` } : { line: number, text };
    this.#open = undefined;
    if (problem) return { line: number, problem };
    if (row.text.trim() === '') return undefined;
    if (this.#layout) return this.#readRow(row.line, row.text, this.#layout);
    this.#layout = this.#findLayout(row.line, row.text);
    if (this.#layout !== 'json' && this.#layout.header) return undefined;
    return this.#readRow(row.line, row.text, this.#layout);
  }

  #findLayout(line: number, text: string): Layout<Row> | 'json' {
    const layout = parseObject(text) ? 'json' : this.#form.findLayout(text);
    if (layout !== 'json' && typeof layout === 'string') throw new LayoutError(`line ${line} ${layout}`);
    return layout;
  }

  #readRow(line: number, text: string, layout: Layout<Row> | 'json'): Row | BadRow | undefined {
    if (layout === 'json') {
      const object = parseObject(text);
      return object
        ? this.#check(line, this.#form.readObject(object, line, text))
        : { line, problem: 'is no JSON object' };
    }
    const fields = splitFields(text, layout.separator);
    if (fields === 'open') return this.#leaveOpen(line, text);
    if (fields === 'broken') return { line, problem: 'has text between a closing quote and the next comma' };
    if (fields.length !== layout.width)
      return { line, problem: `has ${fields.length} instead of ${layout.width} fields` };
    return this.#check(line, layout.read(fields, line));
  }

  #check(line: number, row: Row | string): Row | BadRow {
    return typeof row === 'string' ? { line, problem: `is no ${this.#form.noun}: ${row}` } : row;
  }

  #leaveOpen(line: number, text: string): BadRow | undefined {
    const { bytesMax = LINE_BYTES_MAX } = this.#form;
    if (text.length > bytesMax)
      return { line, problem: `begins a quoted field that is not closed within ${bytesMax} bytes` };
    this.#open = { line, text };
    return undefined;
  }
}
