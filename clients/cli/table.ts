import { styleText } from 'node:util';

export interface Column {
  readonly name: string;
  /** Numbers stand to the right. */
  readonly align?: 'left' | 'right';
}

const GAP = '  ';

/** A table for people: aligned, with a header. */
export function renderTable(columns: readonly Column[], rows: readonly (readonly string[])[], colours = false): string {
  const widths = columns.map(({ name }, n) =>
    rows.reduce((width, row) => Math.max(width, widthOf(row[n])), widthOf(name)),
  );
  const render = (row: readonly string[]) =>
    row
      .map((cell, n) => pad(cell, widths[n], columns[n].align))
      .join(GAP)
      .trimEnd();
  const header = render(columns.map(({ name }) => name.toUpperCase()));
  const lines = [colours ? styleText('bold', header, { validateStream: false }) : header, ...rows.map(render)];
  return lines.map((line) => `${line}\n`).join('');
}

/** The same for programs: cells with tabs between them, names first. */
export function renderTabs(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const lines = [columns.map(({ name }) => name), ...rows];
  return lines.map((cells) => `${cells.map((cell) => cell.replace(/[\t\r\n]/g, ' ')).join('\t')}\n`).join('');
}

function pad(cell: string, width: number, align: Column['align']): string {
  const blanks = ' '.repeat(width - widthOf(cell));
  return align === 'right' ? blanks + cell : cell + blanks;
}

/** Characters, not code units; accents that combine take no place of their own. */
function widthOf(text: string): number {
  return [...text.normalize('NFC').replace(/\p{M}/gu, '')].length;
}
