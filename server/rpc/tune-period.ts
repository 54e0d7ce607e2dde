import type { FusionPeriod } from '../config/fusion-period.ts';
import { AccreteError } from '../errors.ts';
import type { ResolvedModel } from '../models/plugins.ts';
import { PERIOD_PATH } from '../models/tuned-settings.ts';
import { requireFusable } from './fusion-period.ts';

/** The fusion period of a model in a search for settings: what of it is replayed, and what it is in the end. */

const REFIT: FusionPeriod = { strategy: 'refit', sources: [] };

/** After how many events the model is refitted, as candidates replay it; 0: never. Other strategies, and times, are not replayed. */
export function replayedEvents(period: FusionPeriod | undefined): number {
  return period?.strategy === 'refit' ? (period.everyEvents ?? 0) : 0;
}

/** Throws INVALID_FIELD, CAPABILITY_MISSING where the space names a period that cannot be replayed. */
export function requireReplayable(
  model: ResolvedModel,
  period: FusionPeriod | undefined,
  space: Readonly<Record<string, unknown>> | undefined,
): void {
  if (space === undefined || !Object.hasOwn(space, PERIOD_PATH)) return;
  requireFusable(model, REFIT);
  if (period === undefined || period.strategy === 'refit') return;
  const field = `space["${PERIOD_PATH}"]`;
  const description =
    `is searched for REFIT alone, and ${model.spec.name} is fused by ${period.strategy.toUpperCase()} now: load it with ` +
    'another fusion period, or with none, first';
  throw new AccreteError('INVALID_FIELD', `${field} ${description}`, { violations: [{ field, description }] });
}

/** The period that a model has by other settings; null: none. `metric`: of the guard, where it has none of its own. */
export function periodWith(period: FusionPeriod | undefined, everyEvents: number, metric: string): FusionPeriod | null {
  const { everyEvents: _, ...rest } = period ?? { ...REFIT, metric };
  if (everyEvents > 0) return { everyEvents, ...rest };
  return rest.everySeconds === undefined ? null : rest;
}
