import { z } from 'zod';

/** Names of namespaces are those of folders, too. */
export const NAMESPACE = /^[a-z][a-z0-9_-]{0,62}$/;
export const NAMESPACE_FORM = 'a lower-case letter, then at most 62 of `a-z`, `0-9`, `_` and `-`';
/** Each has a thread that learns. */
const NAMESPACES_MAX = 32;

const namespace = z
  .strictObject({
    budgetMiB: z.int().min(64).max(4096).optional().meta({
      unit: 'MiB',
      description: 'The most that its tables, ids and interactions may take; `memory.budgetMiB` unless set.',
    }),
  })
  .meta({ form: 'a mapping with, if wanted, `budgetMiB`' });

export const namespaces = z
  .record(z.string().regex(NAMESPACE).meta({ form: NAMESPACE_FORM }), namespace)
  .refine((given) => Object.keys(given).length <= NAMESPACES_MAX, {
    error: `it takes at most ${NAMESPACES_MAX} namespaces`,
  })
  .default({})
  .meta({
    form: `a mapping of at most ${NAMESPACES_MAX} names of namespaces to what is theirs`,
    description:
      'Namespaces besides that of whoever has none: each has ids, ratings, models, a memory and a store of its own, in ' +
      '`namespaces/NAME` of `data`, and begins with `models`. Whose a call is, its token or certificate says. An environment ' +
      'variable or a flag takes names with commas between them (`shop,blog`), or the mapping as JSON.',
  });
