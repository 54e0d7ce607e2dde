import type { Command } from 'commander';
import { ModelServiceService } from '../../../proto/gen/accrete/v1/model.ts';
import {
  DeleteScenarioRequest,
  ListScenariosRequest,
  ListScenariosResponse,
  PutScenarioRequest,
  PutScenarioResponse,
  type Scenario,
} from '../../../proto/gen/accrete/v1/scenario.ts';
import type { Table } from '../output.ts';
import { collectPages } from '../paging.ts';
import { parseList, parseNumberOf, withSession } from '../session.ts';

const COUNT_MAX = 10_000;

const EXAMPLES = `
Examples:
  accrete scenarios put home --filter 'NOT labels:"adult"' --diversity 0.3 --count 20
  accrete recommend ada --scenario home
  accrete scenarios delete home
`;

interface PutOptions {
  readonly description?: string;
  readonly model?: string;
  readonly filter?: string;
  readonly diversity?: number;
  readonly exclude?: readonly string[];
  readonly includeSeen?: boolean;
  readonly count?: number;
  readonly dryRun?: boolean;
}

export function addScenarios(program: Command): void {
  const scenarios = program
    .command('scenarios')
    .description('named bundles of defaults for recommendations')
    .addHelpText('after', EXAMPLES);
  scenarios
    .command('list', { isDefault: true })
    .description('all scenarios, by name')
    .action((_options: unknown, command: Command) => list(command));
  scenarios
    .command('put')
    .description('add a scenario, or replace the one of that name')
    .argument('<name>')
    .option('--description <text>', 'what it is for')
    .option('--model <name>', 'who answers (default: the default model)')
    .option('--filter <filter>', 'added to that of the request')
    .option('--diversity <share>', 'how much items should differ, from 0 to 1', parseNumberOf({ min: 0, max: 1 }))
    .option('--exclude <ids>', 'leave these items out, with commas between them', parseList)
    .option('--include-seen', 'do not leave out what the user has rated')
    .option('--count <n>', 'how many items', parseNumberOf({ min: 1, max: COUNT_MAX, whole: true }))
    .option('--dry-run', 'check it, and keep nothing')
    .action((name: string, options: PutOptions, command: Command) => put(name, options, command));
  scenarios
    .command('delete')
    .description('remove a scenario')
    .argument('<name>')
    .action((name: string, _options: unknown, command: Command) =>
      withSession(command, async ({ connection, output }) => {
        await connection.call(ModelServiceService.deleteScenario, DeleteScenarioRequest.fromPartial({ name }));
        output.answer({}, () => output.line(`there is no scenario ${name} any more`));
      }),
    );
}

function list(command: Command): Promise<void> {
  return withSession(command, async ({ connection, output }) => {
    const { entries: scenarios } = await collectPages(async (pageToken) => {
      const request = ListScenariosRequest.fromPartial({ pageToken });
      const page = await connection.call(ModelServiceService.listScenarios, request);
      return { entries: page.scenarios, nextPageToken: page.nextPageToken };
    });
    output.answer(ListScenariosResponse.toJSON({ scenarios, nextPageToken: '' }), () =>
      output.table(scenarioTable(scenarios)),
    );
  });
}

function put(name: string, options: PutOptions, command: Command): Promise<void> {
  const { exclude = [], count, dryRun, ...fields } = options;
  const scenario = { ...fields, name, excludeItemIds: [...exclude], pageSize: count };
  return withSession(command, async ({ connection, output }) => {
    const request = PutScenarioRequest.fromPartial({ scenario, validateOnly: dryRun });
    const answer = await connection.call(ModelServiceService.putScenario, request);
    output.answer(PutScenarioResponse.toJSON(answer), () =>
      output.table(scenarioTable(answer.scenario ? [answer.scenario] : [])),
    );
  });
}

function scenarioTable(scenarios: readonly Scenario[]): Table {
  const names = ['name', 'model', 'filter', 'diversity', 'exclude', 'seen', 'count', 'description'];
  return {
    columns: names.map((name) => ({ name })),
    rows: scenarios.map((scenario) => [
      scenario.name,
      scenario.model,
      scenario.filter,
      scenario.diversity === 0 ? '' : String(scenario.diversity),
      scenario.excludeItemIds.join(','),
      scenario.includeSeen ? 'yes' : '',
      scenario.pageSize === 0 ? '' : String(scenario.pageSize),
      scenario.description,
    ]),
  };
}
