import { z } from 'zod';

/** The objectives that learn what users do. */
export const FEEDBACK = ['logistic', 'bpr', 'warp'] as const;

/**
 * What is best of each, by measurement (`docs/decisions/0036-objectives.md`), unless it is set. How often an item is chosen is
 * soon told by probabilities; rankings are better without haste.
 */
const UNLESS_SET = {
  logistic: { negatives: 32, scope: 'full', biasEta: 1 },
  bpr: { negatives: 32, scope: 'full', biasEta: 0.2 },
  warp: { negatives: 128, scope: 'local', biasEta: 0.2 },
} as const;

/** The settings with an objective, whose own fill what is not set. */
export function completed(given: z.infer<typeof feedback>, objective: string) {
  const usual = UNLESS_SET[FEEDBACK.find((one) => one === objective) ?? 'logistic'];
  const { negatives = usual.negatives, scope = usual.scope, biasEta = usual.biasEta } = given;
  return { ...given, negatives, scope, biasEta };
}

/** Settings of the objectives that learn from what users did, whatever the ratings' values. */
export const feedback = z
  .strictObject({
    kind: z.string().min(1).max(63).optional().meta({
      description: 'The one kind of events that is learned, ratings left out; unless set, ratings and all kinds are.',
    }),
    threshold: z
      .number()
      .min(1)
      .max(5)
      .default(1)
      .meta({
        with: { objective: [...FEEDBACK, 'ials'] },
        description:
          'The lowest rating, on the scale of 1 to 5, that counts as one for the item. A lower one counts against it with ' +
          '`logistic`, and else for nothing.',
      }),
    negatives: z
      .int()
      .min(1)
      .max(256)
      .optional()
      .meta({
        unit: 'items',
        description:
          'How many items that the user had nothing to do with an event is told apart from, 32 unless set; with `warp` how ' +
          'many are tried at most until one is found that ranks too high, 128 unless set. `logistic` draws none as long as ' +
          'there are exposures.',
      }),
    popular: z
      .number()
      .min(0)
      .max(1)
      .default(0.1)
      .meta({
        description:
          'What part of these are drawn as the item of any rating or event, the others from all items. `logistic` draws all ' +
          'from all items.',
      }),
    scope: z
      .enum(['full', 'local'])
      .optional()
      .meta({
        description:
          'Whether the items that are drawn learn, too (`full`; unless set, but with `warp`), or the user and its item alone ' +
          '(`local`): then biases of items only rise, and probabilities without exposures are too high.',
      }),
    window: z
      .int()
      .min(1)
      .max(10_000)
      .default(100)
      .meta({
        unit: 'events',
        description:
          "How many of the user's latest events are looked through, for items that are not drawn and for the exposure that an " +
          'event answers.',
      }),
    initialSd: z.number().positive().max(1).default(0.05).meta({
      description: 'Standard deviation of the first values of vectors.',
    }),
    eta: z.number().min(0).max(1).default(0.2).meta({ description: 'Learning rate of the vectors.' }),
    biasEta: z.number().min(0).max(5).optional().meta({
      description: 'Learning rate of the biases: 0.2 unless set, with `logistic` 1.',
    }),
    l2: z.number().min(0).max(0.1).default(0.001).meta({ description: 'Pull of vectors and biases to zero.' }),
  })
  .meta({
    description: '`logistic`, `bpr` and `warp`: learning what users do; `kind` and `threshold` say it for `ials`, too.',
    with: { objective: FEEDBACK },
  });
