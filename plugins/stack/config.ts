import { z } from 'zod';

/** Settings of `stack`. */

const MODEL = z.string().min(1).max(63);
/** Each is asked for every event; the regression takes the square of their number. */
const INPUTS_MAX = 8;

const rating = z
  .strictObject({
    inputs: z
      .array(MODEL)
      .min(1)
      .max(INPUTS_MAX)
      .default(['mf', 'item-cf', 'biases'])
      .meta({
        form: 'a list of 1 to 8 names of models',
        description:
          'The models whose expected ratings are regressed on. The first is the base; the others count by how they differ ' +
          'from it.',
      }),
    forgetting: z.number().min(0.99).max(1).default(0.9999).meta({
      description: 'How much of an event is left after the next one; 1: the regression forgets nothing.',
    }),
    output: z.enum(['mean', 'median']).default('mean').meta({
      description: 'What is predicted: `mean` has the smallest squared error, `median` the smallest absolute one.',
    }),
  })
  .meta({ description: 'The expected rating.' });

const head = z.strictObject({
  model: MODEL.meta({ description: 'The model.' }),
  head: z.string().max(63).default('').meta({
    description: 'Which of its rankings, as plugins.md names them; left out: that by which it ranks itself.',
  }),
});

const ranking = z
  .strictObject({
    inputs: z
      .array(head)
      .max(INPUTS_MAX)
      .default([
        { model: 'item-cf', head: '' },
        { model: 'mf', head: 'sequence' },
        { model: 'popularity', head: '' },
        { model: 'item-cf', head: 'fast' },
      ])
      .meta({
        form: 'a list of 0 to 8 rankings, each with `model` and, if wanted, `head`',
        description: 'The rankings that are mixed.',
      }),
    rate: z.number().min(0).max(0.1).default(0.003).meta({ description: 'Learning rate of the weights of rankings.' }),
    negatives: z.int().min(1).max(64).default(8).meta({
      unit: 'items',
      description: 'How many items that the user has not rated an event is compared with.',
    }),
    sample: z.int().min(32).max(4096).default(256).meta({
      unit: 'items',
      description: 'Of how many items, spread over all, the mean and the spread of a ranking are taken.',
    }),
  })
  .meta({ description: 'The ranking.' });

export const configSchema = z.strictObject({
  seed: z.int().min(0).max(0xffff_ffff).default(1).meta({ description: 'Of the items that events are compared with.' }),
  rating: rating.prefault({}),
  ranking: ranking.prefault({}),
});

export type StackConfig = z.infer<typeof configSchema>;
