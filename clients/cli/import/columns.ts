/** Which field of a row is what, from 0; undefined: there is none. */
export interface Columns {
  readonly user: number;
  readonly item: number;
  readonly value: number;
  readonly time?: number;
  readonly weight?: number;
}

type Column = keyof Columns;

/** What columns can be, and what headers call them, in lower case without `_`, `-` and blanks. */
const NAMES: Readonly<Record<Column, readonly string[]>> = {
  user: ['user', 'userid'],
  item: ['item', 'itemid', 'movie', 'movieid'],
  value: ['value', 'rating'],
  time: ['time', 'timestamp', 'eventtime'],
  weight: ['weight'],
};
const UNUSED = '_';

/** Reads what `--columns user,_,item,value,time` says; throws what is wrong with it. */
export function parseColumns(text: string): Columns {
  const columns: Partial<Record<Column, number>> = {};
  for (const [position, name] of text.split(',').entries()) {
    if (name === UNUSED) continue;
    if (!isColumn(name)) {
      throw new Error(
        `${JSON.stringify(name)} is no column: name ${Object.keys(NAMES).join(', ')}, or ${UNUSED} for one to pass over`,
      );
    }
    if (columns[name] !== undefined) throw new Error(`${name} is named twice`);
    columns[name] = position;
  }
  const complete = withRequired(columns);
  if (!complete) throw new Error('user, item and value are needed');
  return complete;
}

/** The columns that a header names; undefined if it does not name user, item and value. */
export function findHeader(fields: readonly string[]): Columns | undefined {
  const columns: Partial<Record<Column, number>> = {};
  for (const [position, field] of fields.entries()) {
    const word = field.toLowerCase().replace(/[\s_-]/g, '');
    const name = Object.keys(NAMES)
      .filter(isColumn)
      .find((column) => NAMES[column].includes(word));
    if (name) columns[name] ??= position;
  }
  return withRequired(columns);
}

function isColumn(name: string): name is Column {
  return Object.hasOwn(NAMES, name);
}

function withRequired({ user, item, value, ...others }: Partial<Columns>): Columns | undefined {
  if (user === undefined || item === undefined || value === undefined) return undefined;
  return { user, item, value, ...others };
}
