import { z } from 'zod';
import { f32, f64, u32 } from '../contract/index.ts';

export const configSchema = z.strictObject({
  seed: z.int().min(0).max(0xffff_ffff).default(1).describe('Every model has a seed; this one draws nothing.'),
  neighbours: z.int().min(16).max(4096).default(512).meta({
    unit: 'users',
    description: 'How many neighbours a user with two ratings or more keeps, at most; each takes 12 bytes.',
  }),
  raters: z.int().min(1).max(1000).default(48).meta({
    unit: 'users',
    description: "How many of an item's latest raters are met with a rating, and asked for a prediction.",
  }),
  doubt: z.number().min(0).max(1000).default(20).meta({
    unit: 'items',
    description: 'How many items in common it takes until half of an agreement is believed.',
  }),
  prior: z.number().min(0.01).max(100).default(2).meta({
    description: 'The weight of the biases alone, beside the agreements with the neighbours who rated the item.',
  }),
  recent: z.int().min(1).max(100).default(10).meta({
    unit: 'ratings',
    description: "How many of a user's latest ratings say what to recommend.",
  }),
});

export type Config = z.infer<typeof configSchema>;

/** `page`: 1 + the user's row of `neighbours`, 0 where there is none. */
export const tables = ({ neighbours }: Config) =>
  ({
    users: { index: 'user', columns: { bias: f64(), page: u32() } },
    items: { index: 'item', columns: { bias: f64() } },
    /** Over all live ratings: the sum of weight (value - 3), and of weight. */
    model: { index: 'model', columns: { sum: f64(), weight: f64() } },
    /** Places of neighbours, which are found by a hash. `key`: 1 + the neighbour's row, 0 where there is none. */
    neighbours: {
      index: 'pool',
      perEvent: 1,
      columns: { key: u32(neighbours), common: u32(neighbours), product: f32(neighbours) },
    },
  }) as const;

export type Tables = ReturnType<typeof tables>;
