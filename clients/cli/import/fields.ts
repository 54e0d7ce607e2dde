/** What stands between two fields: `,` with quoting by RFC 4180, or a tab or `::` without. */
export const SEPARATORS = ['\t', ',', '::'] as const;
export type Separator = (typeof SEPARATORS)[number];

const QUOTE = '"';

/** The fields of a row, or why it has none: a quoted field goes on in the next line, or its quotes do not match. */
export type Fields = readonly string[] | 'open' | 'broken';

/** Cuts a row into its fields. */
export function splitFields(row: string, separator: Separator): Fields {
  if (separator !== ',' || !row.includes(QUOTE)) return row.split(separator);
  return splitQuoted(row);
}

function splitQuoted(row: string): Fields {
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    const end = row[at] === QUOTE ? closingQuote(row, at + 1) + 1 : endOf(row, at);
    if (end === 0) return 'open';
    if (end < row.length && row[end] !== ',') return 'broken';
    fields.push(row[at] === QUOTE ? row.slice(at + 1, end - 1).replaceAll('""', QUOTE) : row.slice(at, end));
    if (end === row.length) return fields;
    at = end + 1;
  }
}

function endOf(row: string, from: number): number {
  const comma = row.indexOf(',', from);
  return comma < 0 ? row.length : comma;
}

/** The quote that ends a field: the first that is not doubled; -1 if there is none. */
function closingQuote(row: string, from: number): number {
  let at = row.indexOf(QUOTE, from);
  while (at >= 0 && row[at + 1] === QUOTE) at = row.indexOf(QUOTE, at + 2);
  return at;
}
