import { Failure } from './failure.ts';
import { splitFields } from './import/fields.ts';
import { type Line, LineSplitter } from './import/lines.ts';
import { openSource } from './import/source.ts';

/** Titles by item id. */
export type Titles = ReadonlyMap<string, string>;

const ITEM = /^(item|movie)?_?id$/i;
const TITLE = /^(title|name)$/i;

/** Reads a csv file whose header names an id (`movieId`, `item_id`, `id`) and a `title`. */
export async function readTitles(path: string): Promise<Titles> {
  const titles = new Map<string, string>();
  let columns: { item: number; title: number } | undefined;
  for await (const { number, text } of readLines(path)) {
    const fields = splitFields(text, ',');
    if (typeof fields === 'string') throw new Failure('BAD_FILE', `${path} line ${number}: its quotes do not match`);
    if (columns) titles.set(fields[columns.item], fields[columns.title] ?? '');
    columns ??= requireColumns(fields, path);
  }
  return titles;
}

async function* readLines(path: string): AsyncGenerator<Line> {
  const { chunks } = await openSource(path);
  const splitter = new LineSplitter();
  for await (const chunk of chunks) yield* splitter.push(chunk);
  yield* splitter.end();
}

function requireColumns(header: readonly string[], path: string): { item: number; title: number } {
  const item = header.findIndex((name) => ITEM.test(name));
  const title = header.findIndex((name) => TITLE.test(name));
  if (item >= 0 && title >= 0) return { item, title };
  throw new Failure('BAD_FILE', `${path} line 1 names no id and title: it must be a header such as movieId,title`);
}
