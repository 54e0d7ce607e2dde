import { z } from 'zod';
import { completed, FEEDBACK, feedback } from './feedback/config.ts';
import { IALS_K_MAX, ials } from './ials/config.ts';

/** Settings of `mf`. Their ranges are such that no legal setting diverges, whatever the ratings. */

const OBJECTIVES = ['rating', ...FEEDBACK, 'ials'] as const;
/** Laws try what concerns all objectives with each of them. */
const EACH = { objective: OBJECTIVES };

const variance = (description: string, value: number) =>
  z.number().min(0.0001).max(1).default(value).meta({ description });
const drift = (description: string, value: number) =>
  z
    .number()
    .min(0)
    .max(0.01)
    .default(value)
    .meta({ description: `${description}, by rating.` });

const regression = z
  .strictObject({
    noise: z.number().min(0.01).max(100).default(0.75).meta({
      description: 'Variance of a rating around what is expected of it; half of it is learned from each user.',
    }),
    user: variance("Variance of users' levels before they rated.", 0.15),
    slope: variance("Variance of users' slopes on each feature before they rated.", 0.015),
    item: variance("Variance of items' biases before they were rated.", 0.2),
    userDrift: drift("What is added to the variance of a user's level", 0.0015),
    slopeDrift: drift("What is added to the variance of a user's slopes", 0.00003),
    itemDrift: drift("What is added to the variance of an item's bias", 0.00005),
  })
  .meta({ description: '`bayes`: the regression of every user, on the scale of 1 to 5.' });

const sequence = z
  .strictObject({
    k: z.int().min(1).max(256).default(64).meta({
      unit: 'factors',
      description: 'Numbers in a vector of the sequence.',
    }),
    initialSd: z.number().positive().max(1).default(0.05).meta({
      description: 'Standard deviation of the first values of these vectors.',
    }),
    scope: z
      .enum(['local', 'rivals', 'full'])
      .default('rivals')
      .meta({
        description:
          "What a rating teaches besides its user: its own item and those of the user's latest ratings (`local`), or also, " +
          'and how often each is chosen, those that it is told apart from: the ones that it is easily mistaken for ' +
          '(`rivals`), or all of them (`full`).',
      }),
    rival: z.number().min(0).max(1).default(0.06).meta({
      description:
        '`rivals`: how likely the choice of an item had to be, among all that are told apart, for it to learn.',
    }),
    negatives: z.int().min(1).max(256).default(64).meta({
      unit: 'items',
      description: 'How many items that the user did not rate a rating is told apart from.',
    }),
    window: z.int().min(1).max(100).default(20).meta({
      unit: 'ratings',
      description: "How many of the user's latest ratings say what comes next.",
    }),
    decay: z.number().min(0).max(1).default(0.85).meta({
      description: 'What is left of the weight of a rating with every later one.',
    }),
    fadeS: z.number().min(1).max(1e9).default(7200).meta({
      unit: 'seconds',
      description: 'After how long a rating counts half.',
    }),
    eta: z.number().min(0).max(1).default(0.09).meta({ description: "Learning rate of the items' vectors." }),
    userEta: z.number().min(0).max(1).default(0.14).meta({ description: "Learning rate of the users' vectors." }),
    l2: z.number().min(0).max(0.1).default(0.001).meta({ description: 'Pull of these vectors to zero.' }),
  })
  .meta({ description: '`sequence`: the factors that say what is rated next.' });

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
  .meta({ description: '`biases`: the biases of users and items.' });

const replay = z
  .strictObject({
    count: z.int().min(0).max(100).default(6).meta({
      unit: 'ratings',
      description: 'How many past ratings are learned again with every rating.',
    }),
    eta: z.number().min(0).max(1).default(0.03).meta({ description: 'Learning rate of the vectors in a replay.' }),
    l2: z.number().min(0).max(1).default(0.08).meta({ description: 'Pull of the vectors to zero in a replay.' }),
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

const drifting = z
  .strictObject({
    enabled: z.boolean().default(true).meta({
      description: 'Whether the errors are watched for drift: what was learned of users and items holds no longer.',
    }),
    threshold: z.number().min(1).max(1000).default(10).meta({
      description: "What the statistic of Page's test has to exceed, in deviations of the mean over 128 ratings.",
    }),
    reopen: z
      .number()
      .min(0)
      .max(1)
      .default(1)
      .meta({
        description:
          'What part of the variance before its first rating a row has at least with its first rating after drift; 0: drift is ' +
          'told of, and changes nothing.',
      }),
  })
  .meta({ description: 'What is done about drift.' });

const refit = z
  .strictObject({
    epochs: z
      .int()
      .min(0)
      .max(1000)
      .optional()
      .meta({
        description:
          'How often a refit learns every live rating, or every one of what users do: 30 times unless set, with another ' +
          'objective than `rating` 20 times.',
      }),
    keep: z.number().min(0.01).max(1).default(0.15).meta({
      description: 'What a refit multiplies the vectors by when it begins; 1: it goes on from them as they are.',
    }),
    eta: z.number().min(0).max(1).default(0.01).meta({
      description: 'Learning rate of the vectors and of the biases in a refit.',
    }),
    l2: z.number().min(0).max(1).default(0.07).meta({
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
    objective: z
      .enum(OBJECTIVES)
      .default('rating')
      .meta({
        description:
          'What is learned: the values of ratings (`rating`), or what users do, whatever the values: the probability of it ' +
          '(`logistic`), or how to rank it, by pairs of items (`bpr`), with a weight for the top of the list (`warp`), or by all ' +
          'pairs of users and items at once (`ials`). All settings but `seed`, `k`, `feedback`, `ials`, `refit.epochs` and ' +
          '`relearn` belong to `rating`.',
      }),
    k: z.int().min(0).max(256).default(64).meta({
      with: EACH,
      unit: 'factors',
      description: 'Numbers in the vector of a user or an item; 0: biases alone.',
    }),
    initialSd: z.number().positive().max(1).optional().meta({
      description: 'Standard deviation of the first values of vectors; 0.25/sqrt(k) unless set.',
    }),
    eta: z
      .number()
      .min(0)
      .max(1)
      .optional()
      .meta({
        description:
          'Learning rate of the vectors: 0.16 unless set, with `adagrad` 0.05 and with `adam` 0.005, where at most ' +
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
    normalise: z.number().min(0).max(100).default(4).meta({
      description: 'c in error/(1 + c eta |other|²), the error that moves a vector; 0: the error itself.',
    }),
    base: z
      .enum(['bayes', 'biases'])
      .default('bayes')
      .meta({
        description:
          'What stands beside the vectors in a prediction: a Bayesian regression of every user and a bias of every item, ' +
          'which know how sure they are (`bayes`), or biases that are learned in floored steps (`biases`).',
      }),
    regression: regression.prefault({}),
    mean: z.boolean().default(true).meta({
      description: '`biases`: whether the mean of all ratings is part of a prediction.',
    }),
    bias: bias.prefault({}),
    replay: replay.prefault({}),
    refit: refit.prefault({}),
    drift: drifting.prefault({}),
    freeze: z.enum(['none', 'items']).default('none').meta({
      description: '`items`: vectors and biases of items keep their values, but in a refit; only users learn.',
    }),
    ranking: z
      .enum(['sequence', 'taste'])
      .default('sequence')
      .meta({
        description:
          "What items are ranked by: what follows the user's latest ratings (`sequence`), or the product of the vectors " +
          'that predict ratings, and popularity (`taste`). Those without ratings are ranked for by popularity.',
      }),
    sequence: sequence.prefault({}),
    feedback: feedback.prefault({}),
    ials: ials.prefault({}),
    popularity: z.number().min(0).max(100).default(2).meta({
      description: 'Weight of ln(1 + n) in the ranking score of an item with n ratings.',
    }),
    relearn: z.int().min(1).max(10_000).default(1000).meta({
      with: EACH,
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
  .refine(({ objective, k }) => objective !== 'ials' || (k >= 1 && k <= IALS_K_MAX), {
    path: ['k'],
    error: `has to be from 1 to ${IALS_K_MAX} with the objective ials`,
  })
  .transform((config) => ({
    ...config,
    eta: config.eta ?? ETA_OF[config.optimiser],
    refit: { ...config.refit, epochs: config.refit.epochs ?? (config.objective === 'rating' ? 30 : 20) },
    feedback: completed(config.feedback, config.objective),
    initialSd: config.initialSd ?? 0.25 / Math.sqrt(Math.max(1, config.k)),
  }));

const ETA_OF = { sgd: 0.16, momentum: 0.16, adagrad: 0.05, adam: 0.005 } as const;

export type MfConfig = z.infer<typeof configSchema>;
