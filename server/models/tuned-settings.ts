import { z } from 'zod';
import type { Plugin } from '../../plugins/contract/index.ts';
import { EVERY_EVENTS } from '../config/fusion-period.ts';
import type { ModelSpec } from './model-spec.ts';

/** What a search for settings may change of a model: those of its plugin, and when the server fuses it. */
export interface TunedSettings {
  readonly config: ModelSpec['config'];
  readonly fuse: {
    /** It is trained anew (REFIT) each time that it has learned so many ratings and events; 0: never. */
    readonly everyEvents: number;
  };
}

/** Where a space names the period, as the configuration of a model does. */
export const PERIOD_PATH = 'fuse.everyEvents';

const fuse = z.strictObject({
  everyEvents: z
    .union([z.literal(0), z.int().min(EVERY_EVENTS.min).max(EVERY_EVENTS.max)])
    .meta({ form: `0 for never, or a whole number from ${EVERY_EVENTS.min} to ${EVERY_EVENTS.max} (events)` }),
});

/** Settings as they come from outside, for models of a plugin. */
export function tunedSchema({ config }: Plugin) {
  return z.strictObject({ config, fuse });
}
