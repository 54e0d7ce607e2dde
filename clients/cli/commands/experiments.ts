import type { Command } from 'commander';
import {
  type Experiment,
  ExperimentServiceService,
  ExperimentState,
  GetExperimentRequest,
  GetExperimentResponse,
  ListExperimentsRequest,
  ListExperimentsResponse,
  PromoteArmRequest,
  PromoteArmResponse,
  StopExperimentRequest,
  StopExperimentResponse,
} from '../../../proto/gen/accrete/v1/experiment.ts';
import { armTable, comparedBy, differencesOf, figuresOf, formatArms, remarksOf } from '../experiment-table.ts';
import { EXIT, UsageError } from '../failure.ts';
import { differenceTable, reportTable } from '../metric-table.ts';
import { factTable, formatDate, type Output, type Table, wordOf } from '../output.ts';
import { fileOf } from '../output-file.ts';
import { collectPages } from '../paging.ts';
import { renderExperimentPage } from '../report/experiment-page.ts';
import { EVERY_SECONDS, parseNumberOf, withSession } from '../session.ts';
import { watch } from '../watch.ts';
import { writeFiles } from '../write-files.ts';
import { addCreate, addUpdate } from './experiments-change.ts';

const EXAMPLES = `
Examples:
  accrete experiments create homepage --arm control=mf --arm candidate=stack --metric conversion
  accrete experiments update homepage --weight candidate=3
  accrete experiments watch homepage
  accrete experiments report homepage --json
  accrete experiments report homepage --html homepage.html
  accrete experiments promote homepage candidate
  accrete experiments stop homepage
`;

/** The guard learns the window anew. */
const TIMEOUT_MS = 24 * 3_600_000;

export function addExperiments(program: Command): void {
  const experiments = program
    .command('experiments')
    .description('A/B tests of models on live traffic')
    .addHelpText('after', EXAMPLES);
  experiments
    .command('list', { isDefault: true })
    .description('all experiments, the latest first')
    .action((_options: unknown, command: Command) => list(command));
  addCreate(experiments);
  addUpdate(experiments);
  experiments
    .command('report')
    .description('what is known of an experiment; it may be read at any time without harm to the verdict')
    .argument('<name>')
    .option(
      '--html <file>',
      'write a page with the intervals over time, too (-: to standard output, in place of the tables)',
    )
    .option('--force', 'replace the file of --html if it exists')
    .action((name: string, options: PageOptions, command: Command) =>
      withSession(command, async ({ connection, output }) => {
        const request = GetExperimentRequest.fromPartial({ name });
        const answer = await connection.call(ExperimentServiceService.getExperiment, request);
        if (await writePage(answer, options, output)) return;
        output.answer(GetExperimentResponse.toJSON(answer), () => printReport(answer, output));
      }),
    );
  experiments
    .command('watch')
    .description('the arms of an experiment again and again, until Ctrl-C')
    .argument('<name>')
    .option('--every <seconds>', 'how often it looks', parseNumberOf(EVERY_SECONDS), 2)
    .action((name: string, { every }: { every: number }, command: Command) =>
      withSession(command, ({ connection, output }) =>
        watch(output, every, async () => {
          const request = GetExperimentRequest.fromPartial({ name });
          return sightOf(await connection.call(ExperimentServiceService.getExperiment, request));
        }),
      ),
    );
  experiments
    .command('stop')
    .description('end an experiment: everybody gets the default model again; its report stays')
    .argument('<name>')
    .action((name: string, _options: unknown, command: Command) =>
      withSession(command, async ({ connection, output }) => {
        const request = StopExperimentRequest.fromPartial({ name });
        const answer = await connection.call(ExperimentServiceService.stopExperiment, request);
        output.answer(StopExperimentResponse.toJSON(answer), () =>
          output.line(`${name} has ended: ${answer.experiment?.stateReason}`),
        );
      }),
    );
  addPromote(experiments);
}

function addPromote(experiments: Command): void {
  experiments
    .command('promote')
    .description("make an arm's model the default one, if the guard finds it no worse, and end the experiment")
    .argument('<name>')
    .argument('<arm>')
    .option(
      '--margin <share>',
      "what is tolerated, as a share of the default model's loss (default: 0.005)",
      parseNumberOf({ min: 0, max: 1 }),
    )
    .option('--metric <name>', 'whose loss counts, such as rmse, mae or ndcg@10 (default: rmse)')
    .option(
      '--window <ratings>',
      'judge by so many of the latest ratings (default: a tenth)',
      parseNumberOf({ min: 1000, max: 100_000, whole: true }),
    )
    .option('--validate-only', 'judge it, and promote nothing')
    .action((name: string, arm: string, options: PromoteOptions, command: Command) =>
      withSession(command, async ({ connection, output }) => {
        const { margin, metric, window: windowEvents, validateOnly } = options;
        const guard = { margin, metric, windowEvents };
        const request = PromoteArmRequest.fromPartial({ name, arm, guard, validateOnly });
        const answer = await connection.call(ExperimentServiceService.promoteArm, request, TIMEOUT_MS);
        output.answer(PromoteArmResponse.toJSON(answer), () => printPromotion(name, arm, answer, output));
        if (!answer.decision?.passed) process.exitCode = EXIT.declined;
      }),
    );
}

interface PageOptions {
  readonly html?: string;
  readonly force?: boolean;
}

/** True when it went to standard output, so that nothing else does. */
async function writePage(answer: GetExperimentResponse, options: PageOptions, output: Output): Promise<boolean> {
  const { html, force = false } = options;
  if (html === undefined) return false;
  const path = fileOf(html);
  if (path === undefined && output.json)
    throw new UsageError('--json and --html - both write to standard output: name a file');
  await writeFiles(output, path === undefined, async (files) => {
    await files.open(path, force).write(renderExperimentPage(answer));
  });
  return path === undefined;
}

interface PromoteOptions {
  readonly margin?: number;
  readonly metric?: string;
  readonly window?: number;
  readonly validateOnly?: boolean;
}

function list(command: Command): Promise<void> {
  return withSession(command, async ({ connection, output }) => {
    const { entries: experiments } = await collectPages(async (pageToken) => {
      const request = ListExperimentsRequest.fromPartial({ pageToken });
      const page = await connection.call(ExperimentServiceService.listExperiments, request);
      return { entries: page.experiments, nextPageToken: page.nextPageToken };
    });
    output.answer(ListExperimentsResponse.toJSON({ experiments, nextPageToken: '' }), () =>
      output.table(experimentTable(experiments)),
    );
  });
}

function experimentTable(experiments: readonly Experiment[]): Table {
  const names = ['name', 'state', 'arms', 'metric', 'layer', 'share', 'from', 'to', 'description'];
  return {
    columns: names.map((name) => ({ name })),
    rows: experiments.map((experiment) => [
      experiment.name,
      stateOf(experiment),
      formatArms(experiment),
      experiment.primaryMetric,
      experiment.layer,
      String(experiment.eligibleShare),
      formatDate(experiment.startTime),
      formatDate(experiment.endTime),
      experiment.description,
    ]),
  };
}

const stateOf = ({ state }: Experiment) => wordOf(ExperimentState, state);

function sightOf(answer: GetExperimentResponse) {
  const time = new Date().toISOString();
  const { experiment, report } = answer;
  return {
    document: { time, ...(GetExperimentResponse.toJSON(answer) as object) },
    heading: `${time}  ${experiment ? `${experiment.name} ${stateOf(experiment)}` : ''}: ${report?.verdict ?? ''}`,
    table: armTable(answer),
  };
}

export function printReport(answer: GetExperimentResponse, output: Output): void {
  const { experiment, report } = answer;
  if (!experiment || !report) return;
  output.table(
    factTable([
      ['experiment', experiment.name],
      ['description', experiment.description],
      ['state', [stateOf(experiment), experiment.stateReason].filter((text) => text !== '').join(': ')],
      ['primary metric', comparedBy(experiment)],
      ['verdict', report.verdict],
      ['winner', report.winner],
      ['sample ratio p', report.sampleRatioP.toPrecision(3)],
    ]),
  );
  for (const table of [armTable(answer), reportTable(figuresOf(report)), differenceTable(differencesOf(report))]) {
    if (table.rows.length === 0) continue;
    output.line('');
    output.table(table);
  }
  output.line('');
  for (const remark of remarksOf(report)) output.line(remark);
}

function printPromotion(
  name: string,
  arm: string,
  { promoted, decision, previousModel }: PromoteArmResponse,
  output: Output,
): void {
  if (decision?.difference) output.table(differenceTable([decision.difference]));
  if (decision) output.line(decision.reason);
  // Of a model that was the default before, the guard is not asked.
  const before = decision?.difference ? `; until now it was ${previousModel}` : '';
  if (promoted) output.line(`the model of ${arm} is the default one${before}. ${name} has ended`);
}
