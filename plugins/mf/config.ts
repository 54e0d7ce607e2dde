import { z } from 'zod';

/** Settings of `mf`. Their ranges are such that no legal setting diverges, whatever the ratings. */

const bias = z
  .strictObject({
    enabled: z.boolean().default(true).meta({ description: 'Whether users and items have a bias.' }),
    userFloor: z.number().min(0).max(0.5).default(0.08).meta({
      description:
        "The smallest step of a user's bias, as a part of the error; before, it is 1/(n + 4) after n ratings.",
    }),
    itemFloor: z.number().min(0).max(0.5).default(0.01).meta({
      description: "The smallest step of an item's bias, as a part of the error.",
    }),
  })
  .meta({ description: 'The biases of users and items.' });

const replay = z
  .strictObject({
    count: z.int().min(0).max(100).default(5).meta({
      unit: 'ratings',
      description: 'How many past ratings are learned again with every rating.',
    }),
    eta: z.number().min(0).max(1).default(0.03).meta({ description: 'Learning rate of the vectors in a replay.' }),
    l2: z.number().min(0).max(1).default(0.1).meta({ description: 'Pull of the vectors to zero in a replay.' }),
    biasStep: z.number().min(0).max(0.5).default(0.005).meta({
      description: "A bias's step in a replay, as a part of the error.",
    }),
    scope: z
      .enum(['local', 'uniform'])
      .default('local')
      .meta({
        description:
          "Where past ratings are drawn from: in turn the user's own and the item's own, learned by that side alone " +
          '(`local`), or all there are, learned by both of their sides (`uniform`).',
      }),
  })
  .meta({ description: 'Learning past ratings again.' });

const refit = z
  .strictObject({
    epochs: z.int().min(0).max(1000).default(20).meta({
      description: 'How often a refit learns every live rating.',
    }),
    eta: z.number().min(0).max(1).default(0.01).meta({
      description: 'Learning rate of the vectors and of the biases in a refit.',
    }),
    l2: z.number().min(0).max(1).default(0.1).meta({
      description: 'Pull of the vectors and of the biases to zero in a refit.',
    }),
  })
  .meta({ description: 'Learning all live ratings again, beside the stream.' });

/** The steps of `adagrad` and `adam` have the size of eta itself, in every element. */
const ADAPTIVE_ETA_MAX = 0.1;

export const configSchema = z
  .strictObject({
    seed: z.int().min(0).max(0xffff_ffff).default(1).meta({
      description: 'Of the first values of vectors, and of what is drawn to be replayed.',
    }),
    k: z.int().min(0).max(256).default(64).meta({
      unit: 'factors',
      description: 'Numbers in the vector of a user or an item; 0: biases alone.',
    }),
    initialSd: z.number().positive().max(1).optional().meta({
      description: 'Standard deviation of the first values of vectors; 0.4/sqrt(k) unless set.',
    }),
    eta: z
      .number()
      .min(0)
      .max(1)
      .optional()
      .meta({
        description:
          'Learning rate of the vectors: 0.12 unless set, with `adagrad` 0.05 and with `adam` 0.005, where at most ' +
          `${ADAPTIVE_ETA_MAX} is allowed.`,
      }),
    l2: z.number().min(0).max(1).default(0.02).meta({ description: 'Pull of the vectors to zero.' }),
    optimiser: z.enum(['sgd', 'momentum', 'adagrad', 'adam']).default('sgd').meta({
      description: 'How a gradient becomes a step of a vector.',
    }),
    mu: z
      .number()
      .gt(-0.95)
      .lt(0.95)
      .default(0)
      .meta({
        description:
          "`momentum`: what part of a row's last step is taken again (heavy ball). The rule " +
          'F_t = F_t-1 - eta grad - m (F_t-1 - F_t-2) has mu = -m.',
      }),
    scaled: z.boolean().default(true).meta({
      description: '`momentum`: whether eta is multiplied by 1 - mu, so that steps add up to the same.',
    }),
    beta1: z
      .number()
      .min(0)
      .max(0.99)
      .default(0.9)
      .meta({ description: "`adam`: what is kept of the gradients' mean." }),
    beta2: z.number().min(0).max(0.9999).default(0.999).meta({
      description: '`adam`: what is kept of the mean of their squares.',
    }),
    normalise: z.number().min(0).max(100).default(0).meta({
      description: 'c in error/(1 + c eta |other|²), the error that moves a vector; 0: the error itself.',
    }),
    mean: z.boolean().default(true).meta({ description: 'Whether the mean of all ratings is part of a prediction.' }),
    bias: bias.prefault({}),
    replay: replay.prefault({}),
    refit: refit.prefault({}),
    freeze: z.enum(['none', 'items']).default('none').meta({
      description: '`items`: vectors and biases of items keep their values, but in a refit; only users learn.',
    }),
    popularity: z.number().min(0).max(100).default(2).meta({
      description: 'Weight of ln(1 + n) in the ranking score of an item with n ratings.',
    }),
    relearn: z.int().min(1).max(10_000).default(1000).meta({
      unit: 'ratings',
      description: "After a retraction, how many of the user's latest ratings its row is learned from again.",
    }),
  })
  .refine(
    ({ optimiser, eta }) => eta === undefined || eta <= ADAPTIVE_ETA_MAX || !['adagrad', 'adam'].includes(optimiser),
    {
      path: ['eta'],
      error: `is above ${ADAPTIVE_ETA_MAX}, the most that adagrad and adam allow`,
    },
  )
  .transform((config) => ({
    ...config,
    eta: config.eta ?? ETA_OF[config.optimiser],
    initialSd: config.initialSd ?? 0.4 / Math.sqrt(Math.max(1, config.k)),
  }));

const ETA_OF = { sgd: 0.12, momentum: 0.12, adagrad: 0.05, adam: 0.005 } as const;

export type MfConfig = z.infer<typeof configSchema>;
