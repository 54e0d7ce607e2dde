import { type FuseRequest, FuseStrategy, type FusionPeriod as WirePeriod } from '../../proto/gen/accrete/v1/fuse.ts';
import { EVERY_EVENTS, EVERY_SECONDS, type FusionPeriod } from '../config/fusion-period.ts';
import { AccreteError } from '../errors.ts';
import { obstacleTo, type StrategyName, strategiesFor } from '../jobs/fuse/strategies/strategies.ts';
import { offersOf } from '../models/offers.ts';
import type { ResolvedModel } from '../models/plugins.ts';
import type { ModelDirectory } from '../serving/model-directory.ts';
import type { ModelChoice } from '../store/control.ts';
import { Fields } from './fields.ts';
import { termsOf } from './fuse-terms.ts';
import { parseSource, sourceText } from './source-text.ts';

/** The fusion period of a model: on the wire, and as the request that the server makes of it. */

/** What a period asks for when it is over. */
export function periodRequest(model: string, period: FusionPeriod): FuseRequest {
  return { ...wirePeriod(period), model, validateOnly: false };
}

/** As the wire has it. */
export function wirePeriod(period: FusionPeriod): WirePeriod {
  const { everyEvents = 0, everySeconds, strategy, sources, margin, metric = '', windowEvents = 0 } = period;
  const { rank = 0, force = false, seed = 0 } = period;
  return {
    everyEvents: BigInt(everyEvents),
    every: everySeconds === undefined ? undefined : { seconds: BigInt(everySeconds), nanos: 0 },
    strategy: FuseStrategy[`FUSE_STRATEGY_${strategy.toUpperCase()}` as keyof typeof FuseStrategy],
    sources: sources.map(parseSource),
    options: { rank, force, seed },
    guard: { metric, margin, windowEvents },
  };
}

/** A period as it was sent; undefined: never. Throws INVALID_FIELD. */
export function requirePeriod(sent: WirePeriod, model: string): FusionPeriod | undefined {
  const { everyEvents, every, strategy, sources, options, guard } = sent;
  const fields = new Fields();
  if (everyEvents !== 0n && (everyEvents < EVERY_EVENTS.min || everyEvents > EVERY_EVENTS.max))
    fields.refuse(
      'fuse_period.every_events',
      `is ${everyEvents}: send ${EVERY_EVENTS.min} to ${EVERY_EVENTS.max}, or 0`,
    );
  if (every && (every.nanos !== 0 || every.seconds < EVERY_SECONDS.min || every.seconds > EVERY_SECONDS.max))
    fields.refuse(
      'fuse_period.every',
      `is ${every.seconds} s: send whole seconds, ${EVERY_SECONDS.min} to ${EVERY_SECONDS.max}`,
    );
  fields.check();
  if (everyEvents === 0n && !every) return undefined;
  const terms = within('fuse_period.', () =>
    termsOf({ model, strategy, sources, options, guard, validateOnly: false }),
  );
  const { metric, margin, windowEvents } = terms.guard;
  const { rank, force, seed } = terms.options;
  return {
    ...(everyEvents !== 0n && { everyEvents: Number(everyEvents) }),
    ...(every && { everySeconds: Number(every.seconds) }),
    strategy: terms.strategy.toLowerCase() as FusionPeriod['strategy'],
    sources: sources.map(sourceText),
    ...(guard?.margin !== undefined && { margin }),
    ...(metric !== '' && { metric }),
    ...(windowEvents !== 0 && { windowEvents }),
    ...(rank !== 0 && { rank }),
    ...(force && { force }),
    ...(seed !== 0 && { seed }),
  };
}

/** What the configuration says of the periods of its models, which were resolved. Throws CONFIG_INVALID. */
export function requirePeriods(models: readonly ModelChoice[], resolved: readonly ResolvedModel[]): void {
  for (const [n, { name, fuse }] of models.entries()) {
    if (!fuse) continue;
    try {
      termsOf(periodRequest(name, fuse));
      requireFusable(resolved[n], fuse);
    } catch (error) {
      const { message, violations } = AccreteError.wrap(error);
      throw new AccreteError('CONFIG_INVALID', `models[${n}].fuse cannot be: ${message}`, { violations });
    }
  }
}

/** Throws MODEL_NOT_FOUND for a source that is not there. Versions and files may come before the period is over. */
export function requireSources({ sources }: FusionPeriod, directory: Pick<ModelDirectory, 'requireEntry'>): void {
  for (const { source } of sources.map(parseSource))
    if (source?.$case === 'model') directory.requireEntry(source.value);
}

/** Throws CAPABILITY_MISSING for a model that could never be fused so. */
export function requireFusable({ plugin, spec }: ResolvedModel, { strategy }: FusionPeriod): void {
  const name = strategy.toUpperCase() as StrategyName;
  // One that cannot be made says so where it is made to serve.
  const predicts = offersOf({ plugin, spec })?.predicts ?? true;
  const obstacle = obstacleTo(name, plugin, spec.config, predicts);
  if (obstacle === undefined) return;
  const able = strategiesFor(plugin, spec.config, predicts);
  const others =
    able.length > 0 ? `it takes ${able.join(', ')}` : 'it takes no strategy, so leave its fusion period out';
  const message = `Model ${spec.name} takes no ${name}, since ${obstacle}; ${others}`;
  throw new AccreteError('CAPABILITY_MISSING', message, { metadata: { model: spec.name, capability: strategy } });
}

/** Fields that a check names are those of a part of the request. */
function within<Result>(prefix: string, check: () => Result): Result {
  try {
    return check();
  } catch (error) {
    const refusal = AccreteError.wrap(error);
    if (refusal.reason !== 'INVALID_FIELD') throw error;
    const violations = refusal.violations.map((each) => ({ ...each, field: prefix + each.field }));
    throw new AccreteError('INVALID_FIELD', prefix + refusal.message, { violations });
  }
}
