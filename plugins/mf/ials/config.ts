import { z } from 'zod';

/** Two matrices of k x k f64 are in tables, a row of which has its bounds. */
export const IALS_K_MAX = 128;

/** Settings of the objective over all pairs of users and items. */
export const ials = z
  .strictObject({
    initialSd: z.number().positive().max(1).default(0.1).meta({
      description: 'Standard deviation of the first values of vectors.',
    }),
    missing: z.number().min(0.001).max(10).default(0.3).meta({
      description: 'c, the weight with which every user and item are expected to have nothing to do with each other.',
    }),
    l2: z.number().min(0.0001).max(1).default(0.01).meta({
      description:
        'Pull of a vector to zero, times the number of its positives and c times that of all that there may be.',
    }),
    exponent: z.number().min(0).max(1).default(1).meta({
      description: 'What that number is raised to; 0: all vectors are pulled alike.',
    }),
    history: z.int().min(1).max(1000).default(256).meta({
      unit: 'events',
      description:
        'From how many of the latest positives of its user and of its item an event learns; they stand for those before them.',
    }),
    passes: z.int().min(1).max(10).default(1).meta({
      description: 'How often an event sets the numbers of both vectors, one after the other.',
    }),
    window: z.int().min(1).max(1000).default(50).meta({
      unit: 'events',
      description: "By how many of the user's latest positives items are ranked.",
    }),
    decay: z.number().min(0).max(1).default(0.85).meta({
      description: 'What is left of the weight of a positive with every later one, when items are ranked.',
    }),
  })
  .meta({
    description: '`ials`: learning what users do, over all pairs of users and items.',
    with: { objective: ['ials'] },
  });

export type IalsConfig = z.infer<typeof ials>;
