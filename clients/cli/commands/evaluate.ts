import type { Command } from 'commander';
import {
  EvaluateRequest,
  EvaluateResponse,
  EvaluationProtocol,
  type EvaluationReport,
} from '../../../proto/gen/accrete/v1/evaluation.ts';
import type { MetricRow } from '../../../proto/gen/accrete/v1/metric.ts';
import { RecommenderServiceService } from '../../../proto/gen/accrete/v1/recommender.ts';
import type { Connection } from '../connection.ts';
import { Failure } from '../failure.ts';
import { formatCount, formatFigure, type Output, type Table } from '../output.ts';
import { parseList, withSession } from '../session.ts';

interface EvaluateOptions {
  readonly model?: readonly string[];
  readonly metric?: readonly string[];
}

export function addEvaluate(program: Command): void {
  program
    .command('evaluate')
    .description('how well models do: each first rating was predicted just before it was learned')
    .option('--model <names>', 'these models, with commas between them (default: all)', parseList)
    .option(
      '--metric <names>',
      'these metrics, with commas between them: rmse, mae, hit_rate@10, ndcg@10 (default: all)',
      parseList,
    )
    .action((options: EvaluateOptions, command: Command) =>
      withSession(command, async ({ connection, output }) => {
        const report = await fetchReport(connection, options, (answer) => showAnswer(answer, output));
        if (!output.json) output.table(metricTable(report.rows));
      }),
    );
}

/** What the live counters say of these models and metrics; of all if none are named. `onAnswer` hears what comes before, too. */
export async function fetchReport(
  connection: Connection,
  { model = [], metric = [] }: EvaluateOptions,
  onAnswer = (_answer: EvaluateResponse) => {},
): Promise<EvaluationReport> {
  const protocol = EvaluationProtocol.EVALUATION_PROTOCOL_PREQUENTIAL;
  const request = EvaluateRequest.fromPartial({ protocol, models: [...model], metrics: [...metric] });
  let report: EvaluationReport | undefined;
  for await (const answer of connection.stream(RecommenderServiceService.evaluate, request)) {
    onAnswer(answer);
    if (answer.event?.$case === 'report') report = answer.event.value;
  }
  if (!report) throw new Failure('INTERNAL', 'the server ended the evaluation without a report');
  return report;
}

function showAnswer(answer: EvaluateResponse, output: Output): void {
  if (output.json) output.jsonLine(EvaluateResponse.toJSON(answer));
  if (answer.event?.$case !== 'progress') return;
  const { phase, completed, total, unit } = answer.event.value;
  output.note(`${phase}: ${completed} of ${total} ${unit}`);
}

/** One row a model and metric: the figure over everything, and over the latest events alone. */
export function metricTable(rows: readonly MetricRow[]): Table {
  const pairs = Map.groupBy(rows, ({ model, metric, segment }) => JSON.stringify([model, metric, segment]));
  return {
    columns: [
      { name: 'model' },
      { name: 'metric' },
      { name: 'total', align: 'right' },
      { name: 'total count', align: 'right' },
      { name: 'window', align: 'right' },
      { name: 'window count', align: 'right' },
    ],
    rows: [...pairs.values()].map((pair) => {
      const [{ model, metric, segment }] = pair;
      const cells = ['total', 'window'].flatMap((window) => figure(pair.find((row) => row.window === window)));
      return [model, segment === '' ? metric : `${metric} ${segment}`, ...cells];
    }),
  };
}

/** A figure, with its 95% interval where there is one, and the number of observations. */
function figure(row: MetricRow | undefined): [value: string, count: string] {
  if (!row) return ['', ''];
  const { value, lower, upper, count } = row;
  const interval =
    lower === undefined || upper === undefined ? '' : ` [${formatFigure(lower)}, ${formatFigure(upper)}]`;
  return [`${formatFigure(value)}${interval}`, formatCount(count)];
}
