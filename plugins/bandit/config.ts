import { z } from 'zod';

/** What only matters to policies that look at vectors. */
const LINEAR = { policy: ['linear-thompson', 'linucb'] };

/** Settings of `bandit`. */
export const configSchema = z.strictObject({
  seed: z.int().min(0).max(0xffff_ffff).default(1).meta({
    description: 'Of the draws, with the id of a recommendation, and of the directions in which vectors are looked at.',
  }),
  policy: z
    .enum(['thompson', 'linear-thompson', 'linucb'])
    .default('thompson')
    .meta({
      description:
        'How it explores: `thompson` draws what each item earns; `linear-thompson` also what vectors of items say of a user; ' +
        '`linucb` draws nothing and ranks by upper bounds of the same.',
    }),
  model: z.string().min(1).max(63).default('mf').meta({
    form: 'the name of a model',
    description: 'The model whose vectors of items the linear policies take.',
  }),
  width: z.int().min(1).max(64).default(8).meta({
    unit: 'numbers',
    with: LINEAR,
    description: 'What is left of a longer vector, in drawn directions; a user takes half its square in memory.',
  }),
  ridge: z.number().min(0.1).max(10_000).default(10).meta({
    unit: 'exposures',
    with: LINEAR,
    description: 'So many exposures in a direction count as if they had earned what they earn of all users.',
  }),
  alpha: z.number().min(0).max(10).default(1).meta({
    description: 'Multiplies how far what is drawn is from what is expected: how much is explored.',
  }),
  prior: z.number().min(1).max(100_000).default(50).meta({
    unit: 'exposures',
    description: 'So many exposures of every item count as if they had earned what exposures earn on average.',
  }),
  rating: z.number().min(0).max(10).default(1).meta({
    description: 'What a rating of the highest value earns; one of the lowest earns nothing.',
  }),
  windowHours: z.number().min(0.001).max(8760).default(24).meta({
    unit: 'hours',
    description: 'How long after an exposure what the user does with the item is earned by it.',
  }),
});

export type BanditConfig = z.infer<typeof configSchema>;

export const isLinear = ({ policy }: Pick<BanditConfig, 'policy'>) => policy !== 'thompson';
