import type { z } from 'zod';
import { accessRules } from './access-rules.ts';
import { keys } from './keys.ts';
import { parseListen } from './listen.ts';
import type { Keys, Rule } from './rule.ts';

const rules: readonly Rule[] = [
  {
    path: ['rating', 'min'],
    reads: ['rating'],
    findFault: ({ rating }) =>
      rating.min < rating.max ? undefined : `it must be less than \`rating.max\` (${rating.max})`,
  },
  {
    path: ['ring', 'mib'],
    reads: ['ring', 'limits'],
    findFault: ({ ring, limits }) => {
      const least = Math.ceil((2 * limits.messageBytes) / 2 ** 20);
      return ring.mib >= least ? undefined : `it must be at least ${least}, twice \`limits.messageBytes\``;
    },
  },
  {
    path: ['models'],
    reads: ['models'],
    findFault: ({ models }) => {
      const repeated = models.find(({ name }, index) => models.findIndex((other) => other.name === name) < index);
      return repeated && `two models are called \`${repeated.name}\`; each needs a name of its own`;
    },
  },
  {
    path: ['defaultModel'],
    reads: ['defaultModel', 'models'],
    findFault: ({ defaultModel, models }) => {
      const names = models.map(({ name }) => name);
      const known = defaultModel === undefined || names.includes(defaultModel);
      return known ? undefined : `it takes the name of one of \`models\` (${names.join(', ')})`;
    },
  },
  {
    path: ['metrics', 'listen'],
    reads: ['listen', 'metrics'],
    findFault: ({ listen, metrics }) => {
      const address = parseListen(listen);
      const anyPort = address?.kind === 'tcp' && address.port === 0;
      return metrics.listen !== listen || anyPort ? undefined : 'it must differ from `listen`';
    },
  },
  ...accessRules,
];

/** The configuration in one schema: validation, defaults, types, JSON Schema and documentation. */
export const configSchema = rules
  .reduce(addRule, keys)
  .transform((config) => ({ ...config, defaultModel: config.defaultModel ?? config.models[0].name }));

/** A complete configuration: every key has a value. */
export type Config = z.output<typeof configSchema>;

/** A configuration as it is written: any key may be left out. */
export type ConfigInput = z.input<typeof configSchema>;

function addRule(schema: typeof keys, { path, reads, findFault }: Rule): typeof keys {
  return schema.refine((config) => findFault(config) === undefined, {
    path: [...path],
    when: ({ issues }) => !issues.some((issue) => reads.includes(issue.path?.[0] as keyof Keys)),
    error: ({ input }) => findFault(input as Keys),
  });
}
