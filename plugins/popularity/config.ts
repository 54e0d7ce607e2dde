import { z } from 'zod';

/** Settings of `popularity`. */
export const configSchema = z.strictObject({
  seed: z.int().min(0).max(0xffff_ffff).default(1).meta({
    description: 'Every model has a seed; this one draws nothing.',
  }),
  halfLifeDays: z.number().min(0.01).max(100_000).nullable().default(90).meta({
    unit: 'days',
    description: 'After how long a rating counts half; `null`: ratings count fully for ever.',
  }),
});

export type PopularityConfig = z.infer<typeof configSchema>;
