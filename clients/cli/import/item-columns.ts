/** What a row of items can say; anything else is an attribute. */
export type ItemColumn =
  | 'item'
  | 'title'
  | 'categories'
  | 'labels'
  | 'available'
  | 'available_from'
  | 'available_until';

/** What a field of a row is; undefined: of no use. */
export type ItemField = { readonly column: ItemColumn } | { readonly attribute: string } | undefined;

/** What headers and keys call them, in lower case without `_`, `-` and blanks. */
const NAMES: Readonly<Record<ItemColumn, readonly string[]>> = {
  item: ['item', 'itemid', 'id', 'movie', 'movieid'],
  title: ['title', 'name'],
  categories: ['categories', 'category', 'genres'],
  labels: ['labels', 'tags'],
  available: ['available'],
  available_from: ['availablefrom'],
  available_until: ['availableuntil'],
};
const UNUSED = '_';

/** The first columns of a file of movies by MovieLens. */
const MOVIELENS = ['movieid', 'title', 'genres'];

/** What the fields of a file are, by the names of its header or of `--columns`. */
export function itemFieldsOf(names: readonly string[]): readonly ItemField[] {
  const taken = new Set<ItemColumn>();
  return names.map((name) => {
    const field = itemFieldOf(name);
    if (!field || !('column' in field)) return field;
    if (taken.has(field.column)) return { attribute: attributeOf(name) };
    taken.add(field.column);
    return field;
  });
}

/** What a header or a key calls so. */
export function itemFieldOf(name: string): ItemField {
  if (name.trim() === '' || name === UNUSED) return undefined;
  const column = findItemColumn(name);
  return column ? { column } : { attribute: attributeOf(name) };
}

/** Whether an item has an id among these. */
export function hasId(fields: readonly ItemField[]): boolean {
  return fields.some((field) => field && 'column' in field && field.column === 'item');
}

export function isMovieLens(header: readonly string[]): boolean {
  return MOVIELENS.every((name, at) => header[at]?.trim().toLowerCase() === name);
}

function findItemColumn(name: string): ItemColumn | undefined {
  const word = name.toLowerCase().replace(/[\s_-]/g, '');
  return (Object.keys(NAMES) as ItemColumn[]).find((column) => NAMES[column].includes(word));
}

/** One word, so that filters can name it: `release date` is `release_date`. */
function attributeOf(name: string): string {
  return name.trim().replace(/\s+/g, '_');
}
