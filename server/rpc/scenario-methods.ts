import {
  type DeleteScenarioRequest,
  DeleteScenarioResponse,
  type ListScenariosRequest,
  ListScenariosResponse,
  type PutScenarioRequest,
  PutScenarioResponse,
  Scenario as WireScenario,
} from '../../proto/gen/accrete/v1/scenario.ts';
import { FILTER_BYTES_MAX, parseFilter } from '../serving/filter/parse.ts';
import type { Serving } from '../serving/serving.ts';
import type { Scenario } from '../store/control.ts';
import { Fields } from './fields.ts';
import type { Limits } from './limits.ts';
import { pageByName } from './name-pages.ts';
import { type CallContext, unary } from './service.ts';

const SCENARIOS_MAX = 1000;
/** Of all scenarios together: as much as a page of them may have. */
const BYTES_MAX = 3 * 2 ** 20;
const DESCRIPTION_BYTES_MAX = 1024;

type Enter = (call: CallContext) => Serving | Promise<Serving>;

/** PutScenario, ListScenarios, DeleteScenario: named bundles of defaults for recommendations. */
export function scenarioMethods(enter: Enter, limits: Limits) {
  return {
    putScenario: unary(PutScenarioResponse, async (request: PutScenarioRequest, call) =>
      putScenario(request, await enter(call), limits),
    ),
    listScenarios: unary(ListScenariosResponse, async (request: ListScenariosRequest, call) => {
      const all = (await enter(call)).scenarios.byName;
      const { entries, nextPageToken } = pageByName('ListScenarios', all, request, limits);
      return { scenarios: entries.map(messageOf), nextPageToken };
    }),
    deleteScenario: unary(DeleteScenarioResponse, async ({ name }: DeleteScenarioRequest, call) => {
      const fields = new Fields();
      fields.name('name', name);
      fields.check();
      await (await enter(call)).scenarios.delete(name);
      return {};
    }),
  };
}

async function putScenario(
  { scenario, validateOnly }: PutScenarioRequest,
  { scenarios, directory }: Serving,
  limits: Limits,
): Promise<PutScenarioResponse> {
  const fields = new Fields();
  const known = scenarios.byName;
  if (!scenario) fields.refuse('scenario', 'is missing');
  else {
    checkScenario(scenario, fields, limits);
    const others = [...known.values()].filter(({ name }) => name !== scenario.name);
    if (others.length >= SCENARIOS_MAX)
      fields.refuse('scenario', `would be one of more than ${SCENARIOS_MAX}: delete some first`);
    if ([...others, scenario].reduce((bytes, each) => bytes + bytesOf(each), 0) > BYTES_MAX)
      fields.refuse('scenario', `would make all scenarios larger than ${BYTES_MAX} bytes: exclude fewer items by them`);
  }
  fields.check();
  const kept = scenario as Scenario;
  parseFilter(kept.filter, 'scenario.filter');
  if (kept.model !== '') directory.requireEntry(kept.model);
  if (!validateOnly) await scenarios.put(messageOf(kept));
  return { scenario: messageOf(kept) };
}

function checkScenario(scenario: WireScenario, fields: Fields, limits: Limits): void {
  const { name, description, model, filter, diversity, excludeItemIds, pageSize } = scenario;
  fields.name('scenario.name', name);
  fields.bytes('scenario.description', description, DESCRIPTION_BYTES_MAX);
  if (model !== '') fields.name('scenario.model', model);
  fields.bytes('scenario.filter', filter, FILTER_BYTES_MAX);
  fields.share('scenario.diversity', diversity);
  fields.ids('scenario.exclude_item_ids', excludeItemIds, limits.candidates);
  if (pageSize < 0) fields.refuse('scenario.page_size', `is ${pageSize}: send 0 for the default, or 1 and more`);
}

function bytesOf(scenario: Scenario): number {
  return WireScenario.encode(messageOf(scenario)).finish().length;
}

/** Field by field, so that nothing else of a message is kept. */
function messageOf(scenario: Scenario): WireScenario {
  const { name, description, model, filter, diversity, excludeItemIds, includeSeen, pageSize } = scenario;
  return { name, description, model, filter, diversity, excludeItemIds: [...excludeItemIds], includeSeen, pageSize };
}
