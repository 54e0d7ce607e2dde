import { z } from 'zod';
import { definePlugin } from '../../../plugins/contract/index.ts';
import honest from './honest.ts';

/** Nobody can know what `speed` is. */
export default definePlugin({
  ...honest,
  name: 'undescribed-setting',
  config: z.strictObject({
    seed: z.int().default(1).meta({ description: 'Of all draws.' }),
    speed: z.number().default(1),
  }),
});

export const breaks = ['its configuration describes itself, and has a seed'];
