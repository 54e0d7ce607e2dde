/** What a row of ratings can say. */
export type Column = 'user' | 'item' | 'value' | 'time' | 'weight' | 'kind' | 'retract' | 'recommendation_id';

/** Which field of a row is what, from 0; undefined: there is none. */
export type Columns = Readonly<Partial<Record<Column, number>>>;

/** What a row says, as text. */
export type Cells = Readonly<Partial<Record<Column, string>>>;

/** What headers and keys call them, in lower case without `_`, `-` and blanks. */
const NAMES: Readonly<Record<Column, readonly string[]>> = {
  user: ['user', 'userid'],
  item: ['item', 'itemid', 'movie', 'movieid'],
  value: ['value', 'rating'],
  time: ['time', 'timestamp', 'eventtime'],
  weight: ['weight'],
  kind: ['kind'],
  retract: ['retract'],
  recommendation_id: ['recommendationid'],
};
const UNUSED = '_';

/** All of them, in the order in which a file has them usually. */
export const COLUMNS = Object.keys(NAMES).filter(isColumn);

const COLUMN_OF = new Map(COLUMNS.flatMap((column) => NAMES[column].map((name) => [name, column])));

/** Reads what `--columns user,_,item,value,time` says; throws what is wrong with it. */
export function parseColumns(text: string): Columns {
  const columns: Partial<Record<Column, number>> = {};
  for (const [position, name] of text.split(',').entries()) {
    if (name === UNUSED) continue;
    if (!isColumn(name)) {
      throw new Error(
        `${JSON.stringify(name)} is no column: name ${COLUMNS.join(', ')}, or ${UNUSED} for one to pass over`,
      );
    }
    if (columns[name] !== undefined) throw new Error(`${name} is named twice`);
    columns[name] = position;
  }
  if (columns.user === undefined || columns.item === undefined) throw new Error('user and item are needed');
  return columns;
}

/** Whether rows of these columns can be ratings or events; `kind` is that of the whole file. */
export function areEnough(columns: Columns, kind: string): boolean {
  const { user, item, value, retract } = columns;
  const what = value ?? columns.kind ?? retract;
  return user !== undefined && item !== undefined && (what !== undefined || kind !== '');
}

/** The columns that a header names. */
export function findHeader(fields: readonly string[]): Columns {
  const columns: Partial<Record<Column, number>> = {};
  for (const [position, field] of fields.entries()) {
    const column = findColumn(field);
    if (column) columns[column] ??= position;
  }
  return columns;
}

/** The column that a header or a key calls so. */
export function findColumn(name: string): Column | undefined {
  return COLUMN_OF.get(name.toLowerCase().replace(/[\s_-]/g, ''));
}

function isColumn(name: string): name is Column {
  return Object.hasOwn(NAMES, name);
}
