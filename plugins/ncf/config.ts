import { z } from 'zod';
import { LANES } from './shape.ts';

/** Settings of `ncf`. Their ranges are such that no legal setting diverges, whatever the ratings. */

const bias = z
  .strictObject({
    userFloor: z.number().min(0).max(0.5).default(0.08).meta({
      description:
        "The smallest step of a user's bias, as a part of the error; before, it is 1/(n + 4) after n ratings.",
    }),
    itemFloor: z.number().min(0).max(0.5).default(0.01).meta({
      description: "The smallest step of an item's bias, as a part of the error.",
    }),
  })
  .meta({ description: 'The biases of users and items, which the network corrects.' });

const gmf = z
  .strictObject({
    k: z.int().min(LANES).max(128).multipleOf(LANES).default(64).meta({
      unit: 'factors',
      description: 'Numbers in the vector of a user or an item that are multiplied.',
    }),
  })
  .meta({ description: 'Generalized matrix factorization: the products of two vectors, each with a weight.' });

const tower = z
  .strictObject({
    k: z.int().min(LANES).max(32).multipleOf(LANES).default(16).meta({
      unit: 'factors',
      description: 'Numbers in the vector of a user or an item that go through the tower.',
    }),
    layers: z.int().min(1).max(4).default(2).meta({
      unit: 'layers',
      description: 'Layers of the tower: of k, k/2, k/4… rectified numbers.',
    }),
    rank: z.int().min(0).max(8).default(4).meta({
      description: 'Rank of what is learned online of each layer, besides the tower itself; 0: nothing.',
    }),
  })
  .meta({ description: 'The multi-layer perceptron, which a refit trains and which is frozen otherwise.' });

const online = z
  .strictObject({
    eta: z.number().min(0).max(1).default(0.16).meta({ description: 'Learning rate of the vectors.' }),
    l2: z.number().min(0).max(1).default(0.02).meta({ description: 'Pull of the vectors to zero.' }),
    normalise: z.number().min(0).max(100).default(4).meta({
      description: 'c in error/(1 + c eta |gradient|²), the error that moves a vector; 0: the error itself.',
    }),
    sharedEta: z.number().min(0).max(1).default(0.002).meta({
      description: 'Learning rate of what all ratings share: the last layer and the adapters.',
    }),
    sharedL2: z.number().min(0).max(1).default(0.01).meta({
      description: 'Pull of the last layer and the adapters to where they began.',
    }),
  })
  .meta({ description: 'What every rating teaches the network.' });

const replay = z
  .strictObject({
    count: z.int().min(0).max(100).default(4).meta({
      unit: 'ratings',
      description: "How many past ratings are learned again with every rating: in turn the user's and the item's own.",
    }),
    eta: z.number().min(0).max(1).default(0.03).meta({ description: 'Learning rate of the vectors in a replay.' }),
    l2: z.number().min(0).max(1).default(0.1).meta({ description: 'Pull of the vectors to zero in a replay.' }),
    distill: z.number().min(0).max(1).default(0.25).meta({
      description:
        'How much of what a replay learns is not the rating but what the network said of the two right after the last refit.',
    }),
  })
  .meta({ description: 'Learning past ratings again: each moves the vector of the user or of the item alone.' });

const gate = z
  .strictObject({
    fixed: z.number().min(0).max(1).optional().meta({
      description: 'How much of the network counts; learned unless set. 0: the biases alone.',
    }),
    prior: z.number().min(0.1).max(10_000).default(1).meta({
      description: 'How many squares of what the network says it takes until half of it is believed.',
    }),
    forgetting: z.number().min(0.9).max(1).default(0.9995).meta({
      description: 'What is kept of the evidence for the network with every rating.',
    }),
  })
  .meta({ description: 'How much of what the network says counts, by how many ratings the two have.' });

const refit = z
  .strictObject({
    epochs: z
      .int()
      .min(0)
      .max(1000)
      .default(20)
      .meta({
        description:
          'How often a refit learns every live rating at most; it ends earlier when ratings that are held out are no longer ' +
          'expected better. 0: the biases alone.',
      }),
    batch: z.int().min(1).max(4096).default(64).meta({
      unit: 'ratings',
      description: 'How many ratings make one step (Adam) of a refit.',
    }),
    eta: z.number().min(0).max(0.1).default(0.002).meta({ description: 'Size of a step.' }),
    l2: z.number().min(0).max(1).default(0.3).meta({ description: 'Pull of the vectors to zero.' }),
    dropout: z.number().min(0).max(0.9).default(0.2).meta({
      description: "Share of each layer's numbers that a rating does not see.",
    }),
  })
  .meta({ description: 'Learning all live ratings again, the tower with them, beside the stream.' });

export const configSchema = z
  .strictObject({
    seed: z.int().min(0).max(0xffff_ffff).default(1).meta({
      description: 'Of the first values of vectors and of the tower, and of what is drawn to be replayed.',
    }),
    bias: bias.prefault({}),
    gmf: gmf.prefault({}),
    tower: tower.prefault({}),
    initialSd: z.number().positive().max(1).optional().meta({
      description: 'Standard deviation of the first values of vectors; 0.4/sqrt(gmf.k) unless set.',
    }),
    online: online.prefault({}),
    replay: replay.prefault({}),
    gate: gate.prefault({}),
    refit: refit.prefault({}),
    popularity: z.number().min(0).max(100).default(2).meta({
      description: 'Weight of ln(1 + n) in the ranking score of an item with n ratings.',
    }),
    relearn: z.int().min(1).max(10_000).default(1000).meta({
      unit: 'ratings',
      description: "After a retraction, how many of the user's latest ratings its row is learned from again.",
    }),
  })
  .transform((config) => ({ ...config, initialSd: config.initialSd ?? 0.4 / Math.sqrt(config.gmf.k) }));

export type NcfConfig = z.infer<typeof configSchema>;
