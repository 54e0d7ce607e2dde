import { z } from 'zod';
import type { TableSpecs } from '../../plugins/contract/index.ts';
import { AccreteError } from '../errors.ts';
import { layOut, SEGMENT_BYTES } from '../memory/table.ts';

/** What a plugin may declare. A table of users or items cannot be shared: its rows belong to one user or item each. */

const column = z.strictObject({
  type: z.enum(['f32', 'f64', 'u32']),
  width: z.int().min(1).max(4096),
  initialSd: z.number().positive().optional(),
});

const table = z
  .strictObject({
    index: z.enum(['user', 'item', 'model']),
    columns: z.record(z.string().regex(/^[a-z][A-Za-z0-9]*$/), column),
    sampled: z.boolean().optional(),
  })
  .refine((spec) => Object.keys(spec.columns).length > 0, 'has no columns')
  .refine(
    (spec) => !(spec.sampled && spec.index === 'model'),
    'a table of the model is not sampled: every event may write it',
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
