import { Failure } from '../failure.ts';
import type { Rows } from './batches.ts';
import { LineSplitter } from './lines.ts';
import { type Form, LayoutError, RowReader } from './row-reader.ts';
import { nameOf, openSource, type Source } from './source.ts';

/** The rows of a file as they stand in it. */
export interface RowFile<Row> {
  readonly rows: AsyncIterable<Rows<Row>>;
  /** Bytes as stored, which `position` comes to at the end; undefined where that is not known beforehand. */
  readonly total: number | undefined;
}

/** Opens a file, or standard input for `-`. Reading throws Failure BAD_FILE when its first row makes no sense. */
export async function openRows<Row>(path: string, form: Form<Row>): Promise<RowFile<Row>> {
  const source = await openSource(path);
  return { rows: readRows(source, path, form), total: source.bytesTotal };
}

async function* readRows<Row>(source: Source, path: string, form: Form<Row>): AsyncGenerator<Rows<Row>> {
  const splitter = new LineSplitter(form.bytesMax);
  const reader = new RowReader(form);
  try {
    for await (const chunk of source.chunks) {
      yield { rows: reader.read(splitter.push(chunk)), position: source.bytesRead() };
    }
    yield { rows: [...reader.read(splitter.end()), ...reader.end()], position: source.bytesRead() };
  } catch (error) {
    throw error instanceof LayoutError ? new Failure('BAD_FILE', `${nameOf(path)} ${error.message}`) : error;
  }
}
