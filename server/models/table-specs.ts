import { z } from 'zod';
import type { ColumnType, TableSpec, TableSpecs } from '../../plugins/contract/index.ts';
import { AccreteError } from '../errors.ts';
import { layOut, SEGMENT_BYTES } from '../memory/table.ts';

/** What a plugin may declare. A table of users or items cannot be shared: its rows belong to one user or item each. */

const column = z.strictObject({
  type: z.enum(['f32', 'f64', 'u32']),
  width: z.int().min(1).max(4096),
  initialSd: z.number().positive().optional(),
  added: z.literal(true).optional(),
});

const table = z
  .strictObject({
    index: z.enum(['user', 'item', 'model', 'pool']),
    columns: z.record(z.string().regex(/^[a-z][A-Za-z0-9]*$/), column),
    sampled: z.boolean().optional(),
    perEvent: z.int().min(1).max(1024).optional(),
  })
  .refine((spec) => Object.keys(spec.columns).length > 0, 'has no columns')
  .refine(
    (spec) => !(spec.sampled && spec.index === 'model'),
    'a table of the model is not sampled: every event may write it',
  )
  .refine(
    (spec) => (spec.perEvent !== undefined) === (spec.index === 'pool'),
    'a pool says how many rows an event makes (`perEvent`), and no other table does',
  )
  .refine(
    ({ index, columns }) =>
      index !== 'pool' || Object.values(columns).every(({ initialSd }) => initialSd === undefined),
    'rows of a pool start with zeros: there is nothing to draw them by',
  )
  .refine(
    ({ columns }) => Object.values(columns).every(({ added, initialSd }) => !added || initialSd === undefined),
    'a column that was added starts with zeros',
  )
  .refine(({ columns }) => layOut(columns).stride <= SEGMENT_BYTES, `has rows of more than ${SEGMENT_BYTES} bytes`);

const tables = z.record(z.string().regex(/^[a-z][A-Za-z0-9]*$/), table);

/** Refuses, with PLUGIN_INVALID, tables that the host cannot keep its promises for. */
export function requireTableSpecs(plugin: string, declared: unknown): TableSpecs {
  const parsed = tables.safeParse(declared);
  if (parsed.success) return parsed.data as TableSpecs;
  const mistakes = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'tables'}: ${issue.message}`);
  throw new AccreteError('PLUGIN_INVALID', `Plugin ${plugin} declares tables that cannot be: ${mistakes.join('; ')}`);
}

/** A column among those of all tables. */
export interface DeclaredColumn {
  /** What a row stands for. */
  readonly index: TableSpec['index'];
  readonly type: ColumnType;
  readonly width: number;
}

/** All columns by their whole names, `TABLE.COLUMN`. */
export function columnsOf(tables: TableSpecs): Map<string, DeclaredColumn> {
  const columns = Object.entries(tables).flatMap(([table, { index, columns }]) =>
    Object.entries(columns).map(([column, { type, width }]) => [`${table}.${column}`, { index, type, width }] as const),
  );
  return new Map(columns);
}
