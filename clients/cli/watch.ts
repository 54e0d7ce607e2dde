import { EXIT } from './failure.ts';
import type { Output, Table } from './output.ts';
import { renderTable } from './table.ts';

/** What is to be seen at one moment. */
export interface Sight {
  /** For programs. */
  readonly document: unknown;
  readonly table: Table;
  /** A line above the table. */
  readonly heading: string;
}

/**
 * Looks again and again until Ctrl-C: one table that is drawn anew on a terminal, one after the other elsewhere, a line
 * of JSON each time for programs. Rejects when `look` does.
 */
export async function watch(output: Output, everySeconds: number, look: () => Promise<Sight>): Promise<never> {
  process.once('SIGINT', () => process.exit(EXIT.interrupted));
  const show = output.json || !output.stdout.isTTY ? shower(output) : redrawer(output.stdout);
  for (;;) {
    show(await look());
    await new Promise((resolve) => setTimeout(resolve, everySeconds * 1000));
  }
}

function shower(output: Output): (sight: Sight) => void {
  return ({ document, table, heading }) => {
    if (output.json) return output.jsonLine(document);
    output.line(heading);
    output.table(table);
  };
}

/** Puts each sight over the one before; what does not fit on the screen is cut off, where its size is known. */
function redrawer(stdout: NodeJS.WriteStream): (sight: Sight) => void {
  let height = 0;
  return ({ table, heading }) => {
    const text = `${heading}\n${renderTable(table.columns, table.rows, stdout.hasColors())}`;
    const lines = text
      .trimEnd()
      .split('\n')
      .slice(0, stdout.rows > 0 ? stdout.rows - 1 : undefined);
    stdout.write(
      `${height > 0 ? `\x1b[${height}A` : ''}\x1b[0J${lines.map((line) => cut(line, stdout.columns || Number.POSITIVE_INFINITY)).join('\n')}\n`,
    );
    height = lines.length;
  };
}

/** Escape sequences take no place. */
function cut(line: string, width: number): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
  return line.replace(/\x1b\[\d+m/g, '').length <= width ? line : line.slice(0, width);
}
