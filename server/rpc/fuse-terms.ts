import { type FuseRequest, type FuseSource, FuseStrategy } from '../../proto/gen/accrete/v1/fuse.ts';
import { MARGIN_DEFAULT } from '../jobs/fuse/decision.ts';
import { type FuseOptions, STRATEGIES, type Strategy, type StrategyName } from '../jobs/fuse/strategies/strategies.ts';
import { requireLoss } from '../jobs/fuse/window-figures.ts';
import { MEMBERS_MAX } from '../models/plugins.ts';
import { Fields } from './fields.ts';
import { type AskedGuard, guardOf } from './guard-terms.ts';

/** What is asked of a Fuse, checked as far as that can be without looking at models. */
export interface FuseTerms {
  readonly strategy: StrategyName;
  readonly options: FuseOptions;
  readonly guard: AskedGuard;
}

const SOURCES_MAX = 16;
const RANK_MAX = 1024;

/** Throws INVALID_FIELD. */
export function termsOf({ model, strategy, sources, options, guard }: FuseRequest): FuseTerms {
  const fields = new Fields();
  if (model === '') fields.refuse('model', 'is empty: name the model that gets the new version');
  const name = nameOf(strategy, fields);
  const { rank = 0, force = false, seed = 0 } = options ?? {};
  const terms: Strategy = STRATEGIES[name];
  if (terms.from === 'ratings' && sources.length > 0)
    fields.refuse('sources', `is for other strategies: ${name} takes none`);
  if (terms.from !== 'ratings' && sources.length === 0)
    fields.refuse(
      'sources',
      `is empty: ${name} makes one model of several, name at least one besides the model itself`,
    );
  fields.count('sources', sources, terms.from === 'members' ? MEMBERS_MAX - 1 : SOURCES_MAX);
  for (const [n, { source }] of sources.entries()) {
    if (!source) fields.refuse(`sources[${n}]`, 'names nothing: send one of model, version, file');
    if (source?.$case === 'model' && source.value === model)
      fields.refuse(
        `sources[${n}].model`,
        'is the model itself, which is part of what comes of it: name another one, or a version of it',
      );
  }
  refuseTwice(sources, fields);
  for (const [option, isSent] of Object.entries({ rank: rank !== 0, force }))
    if (isSent && !terms.options.includes(option as keyof FuseOptions))
      fields.refuse(`options.${option}`, `is for ${takersOf(option)}: leave it out`);
  if (rank < 0 || rank > RANK_MAX) fields.refuse('options.rank', `is ${rank}: send 1 to ${RANK_MAX}, or 0`);
  const guarding = guardOf(guard, MARGIN_DEFAULT, fields);
  fields.check();
  requireLoss(guarding.metric);
  return { strategy: name, options: { seed, rank, force }, guard: guarding };
}

/** What is named twice would count twice. */
function refuseTwice(sources: readonly FuseSource[], fields: Fields): void {
  const named = new Map<string, number>();
  for (const [n, { source }] of sources.entries()) {
    if (!source) continue;
    const key = `${source.$case}:${source.value}`;
    const before = named.get(key);
    if (before === undefined) named.set(key, n);
    else
      fields.refuse(
        `sources[${n}].${source.$case}`,
        `is sources[${before}] again, and would count twice: name it once`,
      );
  }
}

/** Notes what is no strategy. */
function nameOf(strategy: FuseStrategy, fields: Fields): StrategyName {
  if (strategy === FuseStrategy.FUSE_STRATEGY_UNSPECIFIED) return 'REFIT';
  const wire = Object.entries(FuseStrategy).find(([, value]) => value === strategy)?.[0];
  if (wire === undefined || wire === 'UNRECOGNIZED') {
    fields.refuse(
      'strategy',
      `is ${strategy}, which is no strategy: send one of ${Object.keys(STRATEGIES).join(', ')}`,
    );
    return 'REFIT';
  }
  const name = wire.replace('FUSE_STRATEGY_', '');
  return name as StrategyName;
}

function takersOf(option: string): string {
  const names = (Object.keys(STRATEGIES) as StrategyName[]).filter((name) =>
    (STRATEGIES[name].options as readonly string[]).includes(option),
  );
  return names.join(', ');
}
