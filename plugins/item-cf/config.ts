import { z } from 'zod';

/** Settings of `item-cf`. Their ranges are such that no legal setting diverges, whatever the ratings. */

const bias = z
  .strictObject({
    userFloor: z.number().min(0).max(0.5).default(0.08).meta({
      description:
        "The smallest step of a user's bias, as a part of the error; before, it is 1/(n + 4) after n ratings.",
    }),
    itemFloor: z.number().min(0).max(0.5).default(0.01).meta({
      description: "The smallest step of an item's bias, as a part of the error.",
    }),
    relearn: z.int().min(1).max(10_000).default(1000).meta({
      unit: 'ratings',
      description:
        'After a retraction, how many of the latest ratings the biases of its user and item are derived from.',
    }),
  })
  .meta({ description: 'The biases of users and items, whose residuals neighbours predict.' });

const neighbours = z
  .strictObject({
    history: z.int().min(0).max(1000).default(200).meta({
      unit: 'ratings',
      description: "How many of a user's latest ratings are compared with an item; 0: biases alone predict.",
    }),
    partners: z.literal([64, 128, 256, 512, 1024]).default(512).meta({
      unit: 'items',
      description: 'How many items an item is compared with, at most; those that it met least often make way.',
    }),
    shrink: z.number().min(0).max(10_000).default(80).meta({
      description: 'Makes items that few rated together less alike: likeness is multiplied by c/(c + this).',
    }),
    doubt: z.number().min(0.001).max(10).default(0.1).meta({
      description: "Weight of the biases beside that of the user's own ratings of similar items.",
    }),
  })
  .meta({ description: 'Predicting a rating from ratings of similar items.' });

/** What follows what; `score` and the head `fast` differ in these alone. */
function transitions(defaults: {
  readonly partners: number;
  readonly window: number;
  readonly exponent: number;
  readonly back: number;
  readonly keep: number;
  readonly recent: number;
  readonly fade: number;
}) {
  return z.strictObject({
    partners: z.int().min(4).max(1000).multipleOf(4).default(defaults.partners).meta({
      unit: 'items',
      description: 'How many items can follow an item, at most; the least likely makes way.',
    }),
    window: z.int().min(1).max(100).default(defaults.window).meta({
      unit: 'ratings',
      description: 'Items that a user rated this many ratings ago, at most, are taken to lead to an item.',
    }),
    exponent: z.number().min(0).max(3).default(defaults.exponent).meta({
      description: 'An item n ratings before the latest one leads to the next by (1 + n)^-exponent.',
    }),
    back: z.number().min(0).max(1).default(defaults.back).meta({
      description: 'How much an item leads back to those before it, as a part of how much they lead to it.',
    }),
    keep: z.number().min(0.5).max(1).default(defaults.keep).meta({
      description: 'What an item keeps of all that it leads to with every further rating of it; 1: nothing fades.',
    }),
    recent: z.int().min(1).max(100).default(defaults.recent).meta({
      unit: 'ratings',
      description: "How many of a user's latest ratings say what comes next.",
    }),
    fade: z.number().min(0).max(1).default(defaults.fade).meta({
      description: 'How much less a rating says than the one after it.',
    }),
  });
}

const ease = z
  .strictObject({
    items: z
      .int()
      .min(0)
      .max(4000)
      .default(0)
      .meta({
        unit: 'items',
        description:
          'The further ranking `ease` of the items that were rated most often, at most so many: each refit computes it anew, ' +
          'which takes time with the cube and memory with the square of their number; 0: there is none.',
      }),
    l2: z.number().min(1).max(1_000_000).default(500).meta({ description: 'Pull of its weights to zero.' }),
    partners: z.int().min(4).max(1000).multipleOf(4).default(200).meta({
      unit: 'items',
      description: 'How many weights an item keeps: the largest.',
    }),
    recent: z.int().min(1).max(1000).default(100).meta({
      unit: 'ratings',
      description: "How many of a user's latest ratings it ranks by.",
    }),
    fade: z.number().min(0).max(1).default(0.9).meta({
      description: 'How much less a rating says than the one after it.',
    }),
  })
  .meta({ description: 'A linear model of which items are rated together, by refits.' });

export const configSchema = z.strictObject({
  seed: z.int().min(0).max(0xffff_ffff).default(1).meta({
    description: 'Every model has a seed; this one draws nothing.',
  }),
  bias: bias.prefault({}),
  neighbours: neighbours.prefault({}),
  transitions: transitions({ partners: 200, window: 20, exponent: 0.5, back: 0.5, keep: 0.99, recent: 30, fade: 0.85 })
    .prefault({})
    .meta({ description: 'Ranking by what follows what a user rated.' }),
  fast: transitions({ partners: 48, window: 5, exponent: 0.7, back: 0.3, keep: 0.9, recent: 15, fade: 0.7 })
    .prefault({})
    .meta({ description: 'The further ranking `fast`: the same, but forgetting soon.' }),
  ease: ease.prefault({}),
  popularity: z.number().min(0).max(1).default(0.3).meta({
    description: 'In a ranking, a count of c ratings divides what leads to and from an item by (c + 5)^this.',
  }),
});

export type ItemCfConfig = z.infer<typeof configSchema>;
export type TransitionsConfig = ItemCfConfig['transitions'];
