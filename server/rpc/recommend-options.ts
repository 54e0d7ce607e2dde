import type { RecommendBatchRequest, RecommendRequest } from '../../proto/gen/accrete/v1/recommender.ts';
import type { Expression } from '../serving/filter/expression.ts';
import { FILTER_BYTES_MAX, parseFilter } from '../serving/filter/parse.ts';
import type { Serving } from '../serving/serving.ts';
import type { ListOptions } from '../serving/shortlists.ts';
import type { Fields } from './fields.ts';
import type { Limits } from './limits.ts';

/** What `Recommend` and `RecommendBatch` have in common. */
type Options = Omit<RecommendBatchRequest, 'userIds'> & Partial<RecommendRequest>;

const PAGE_SIZE = 10;
/** Explained items of a page: clients take 4 MiB unless they say otherwise, and meanwhile nobody else is answered. */
const EXPLAINED_MAX = 100;
const CONTEXT = { entries: 32, keyBytes: 64, valueBytes: 256 } as const;

export function checkOptions(fields: Fields, options: Options, limits: Limits): void {
  const { pageSize, model, candidateItemIds, excludeItemIds, filter, diversity, scenario, context } = options;
  if (model !== '') fields.name('model', model);
  fields.ids('candidate_item_ids', candidateItemIds, limits.candidates);
  fields.ids('exclude_item_ids', excludeItemIds, limits.candidates);
  fields.pageSize(pageSize, PAGE_SIZE, limits.pageSize);
  fields.bytes('filter', filter, FILTER_BYTES_MAX);
  if (diversity !== undefined) fields.share('diversity', diversity);
  if (scenario !== '') fields.name('scenario', scenario);
  const entries = Object.entries(context);
  if (!fields.count('context', entries, CONTEXT.entries)) return;
  for (const [key, value] of entries) {
    fields.bytes(`context[${JSON.stringify(key.slice(0, CONTEXT.keyBytes))}]`, key, CONTEXT.keyBytes);
    fields.bytes(`context[${JSON.stringify(key.slice(0, CONTEXT.keyBytes))}]`, value, CONTEXT.valueBytes);
  }
}

/**
 * The options of a request whose fields were checked, with what its scenario says where it says nothing itself; filters
 * and exclusions add up. Throws SCENARIO_NOT_FOUND, and INVALID_FIELD for a filter that does not parse.
 */
export function optionsOf(
  options: Options,
  { scenarios }: Serving,
  limits: Limits,
): ListOptions & { readonly scenario: string } {
  const scenario = options.scenario === '' ? undefined : scenarios.require(options.scenario);
  const { excludeItemIds: excludeIds } = options;
  const size = options.pageSize > 0 ? options.pageSize : scenario?.pageSize || PAGE_SIZE;
  return {
    scenario: options.scenario,
    model: options.model === '' ? (scenario?.model ?? '') : options.model,
    count: Math.min(size, limits.pageSize, options.explain ? EXPLAINED_MAX : limits.pageSize),
    candidateIds: options.candidateItemIds,
    excludeIds: scenario ? [...excludeIds, ...scenario.excludeItemIds] : excludeIds,
    includeSeen: options.includeSeen ?? scenario?.includeSeen ?? false,
    filter: bothOf(parseFilter(options.filter), scenario && scenarios.filterOf(scenario)),
    diversity: options.diversity ?? scenario?.diversity ?? 0,
    explain: options.explain,
  };
}

function bothOf(own: Expression | undefined, kept: Expression | undefined): Expression | undefined {
  return own && kept ? { type: 'and', parts: [kept, own] } : (own ?? kept);
}
