import { isUtf8 } from 'node:buffer';

/** One line of a text, without its end. */
export interface Line {
  /** From 1. */
  readonly number: number;
  readonly text: string;
  /** Why it cannot be read; `text` is void then. */
  readonly problem?: string;
}

/** The longest line, and the longest row of several lines, in bytes. */
export const LINE_BYTES_MAX = 64 * 1024;

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const BYTE_ORDER_MARK = '\ufeff';
const REPLACEMENT = '\ufffd';

/** Cuts bytes into lines, wherever the chunks end. It keeps no more than one line. */
export class LineSplitter {
  readonly #bytesMax: number;
  /** The beginning of a line whose end has not come yet; at most `bytesMax` bytes. */
  #rest: Buffer = Buffer.alloc(0);
  /** The line is too long: its bytes are passed over until it ends. */
  #tooLong = false;
  #number = 0;

  constructor(bytesMax = LINE_BYTES_MAX) {
    this.#bytesMax = bytesMax;
  }

  /** The lines that end within this chunk. */
  push(chunk: Buffer): Line[] {
    const lines: Line[] = [];
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
      lines.push(this.#take(chunk.subarray(start, end)));
      start = end + 1;
    }
    this.#keep(chunk.subarray(start));
    return lines;
  }

  /** The last line, if it has no end of its own. */
  end(): Line[] {
    return this.#rest.length > 0 || this.#tooLong ? [this.#take(Buffer.alloc(0))] : [];
  }

  #keep(part: Buffer): void {
    this.#tooLong ||= this.#rest.length + part.length > this.#bytesMax;
    this.#rest = this.#tooLong ? Buffer.alloc(0) : Buffer.concat([this.#rest, part]);
  }

  #take(part: Buffer): Line {
    const number = ++this.#number;
    const tooLong = this.#tooLong || this.#rest.length + part.length > this.#bytesMax;
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, part]) : part;
    this.#rest = Buffer.alloc(0);
    this.#tooLong = false;
    if (tooLong) return { number, text: '', problem: `is longer than ${this.#bytesMax} bytes` };
    return { number, ...decode(bytes, number === 1) };
  }
}

function decode(bytes: Buffer, first: boolean): { text: string; problem?: string } {
  const end = bytes.at(-1) === CARRIAGE_RETURN ? bytes.length - 1 : bytes.length;
  const text = bytes.toString('utf8', 0, end);
  // What is no UTF-8 became replacement characters; the text may also have had them before.
  if (text.includes(REPLACEMENT) && !isUtf8(bytes)) return { text: '', problem: 'is not UTF-8' };
  return { text: first && text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text };
}
