import { z } from 'zod';

/** Settings of `epsilon-greedy`. */
export const configSchema = z.strictObject({
  seed: z
    .int()
    .min(0)
    .max(0xffff_ffff)
    .default(1)
    .describe('Of the draws; the id of a recommendation is the other part.'),
  model: z.string().min(1).max(63).default('mf').meta({
    form: 'the name of a model',
    description: 'The model whose ranking is explored.',
  }),
  epsilon: z.number().min(0).max(1).default(0.1).meta({
    description: 'The chance that a place of a list goes to any item, all as likely.',
  }),
});

export type EpsilonGreedyConfig = z.infer<typeof configSchema>;
