import { type Command, Option } from 'commander';
import {
  EvaluateRequest,
  EvaluateResponse,
  EvaluationProtocol,
  type EvaluationReport,
  HoldoutSplit,
} from '../../../proto/gen/accrete/v1/evaluation.ts';
import { RecommenderServiceService } from '../../../proto/gen/accrete/v1/recommender.ts';
import type { Connection } from '../connection.ts';
import { Failure, UsageError } from '../failure.ts';
import { onInterrupt } from '../interrupt.ts';
import { differenceTable, gapsOf, metricTable, reportTable } from '../metric-table.ts';
import { formatCount, type Output } from '../output.ts';
import { fileOf } from '../output-file.ts';
import { createProgress, type Progress, SILENT, stateOf } from '../progress.ts';
import { renderPage } from '../report/page.ts';
import { ANY, EVERY_SECONDS, parseList, parseNumberOf, SEED, withSession } from '../session.ts';
import { Curves } from '../tensorboard/curves.ts';
import { watch } from '../watch.ts';
import { writeFiles } from '../write-files.ts';
import { liveSight } from './live-figures.ts';

const PROTOCOLS = {
  prequential: EvaluationProtocol.EVALUATION_PROTOCOL_PREQUENTIAL,
  holdout: EvaluationProtocol.EVALUATION_PROTOCOL_HOLDOUT,
  sampled: EvaluationProtocol.EVALUATION_PROTOCOL_RANKING_SAMPLED,
  'off-policy': EvaluationProtocol.EVALUATION_PROTOCOL_OFF_POLICY,
} as const;
const SPLITS = {
  time: HoldoutSplit.HOLDOUT_SPLIT_TIME,
  'leave-last-out': HoldoutSplit.HOLDOUT_SPLIT_LEAVE_LAST_OUT,
} as const;
const NEGATIVES_MAX = 1000;

const DETAILS = `
prequential: the live figures; each first rating was predicted just before it was learned. It answers at once.
holdout: learns a part of the journal anew beside the stream, and is measured on the rest. It takes a while.
sampled: leaves each user's last rating out and ranks it among --negatives items, as published figures often do.
off-policy: what models would have earned by place, estimated from answers of experiments whose items an exploring model drew.

Figures have their 95% interval in brackets. Models are compared with the first one on the same observations: below 0
is better for errors, above 0 for what counts what is right. docs/evaluation.md says what each metric is.

--html writes one page that needs nothing else: figures, differences and learning curves with their tables, and what to
do about them.

--tensorboard writes learning curves as TensorBoard reads them (and W&B), a run for each model; with --watch they grow.

Examples:
  accrete evaluate
  accrete evaluate --watch
  accrete evaluate --watch --tensorboard runs
  accrete evaluate --protocol holdout --split leave-last-out --models mf,popularity --metrics ndcg@10,hit_rate@10
  accrete evaluate --protocol holdout --metrics rmse,ndcg@10,coverage@10,novelty@10 --html report.html
`;

interface EvaluateOptions {
  readonly protocol?: keyof typeof PROTOCOLS;
  readonly models?: readonly string[];
  readonly metrics?: readonly string[];
  readonly split?: keyof typeof SPLITS;
  readonly share?: number;
  readonly negatives?: number;
  readonly weightMax?: number;
  readonly seed?: number;
  readonly from?: string;
  readonly to?: string;
}

interface Options extends EvaluateOptions {
  readonly html?: string;
  readonly force?: boolean;
  readonly tensorboard?: string;
  readonly watch?: boolean;
  readonly every: number;
}

export function addEvaluate(program: Command): void {
  program
    .command('evaluate')
    .description('how well models do')
    .addOption(new Option('--protocol <name>', 'how to measure').choices(Object.keys(PROTOCOLS)).default('prequential'))
    .option('--models <names>', 'these models, with commas between them (default: all)', parseList)
    .option(
      '--metrics <names>',
      'these metrics, with commas between them, such as rmse,mae,hit_rate@10,ndcg@10 (default: all)',
      parseList,
    )
    .addOption(new Option('--split <how>', 'holdout: what is held out (default: time)').choices(Object.keys(SPLITS)))
    .option(
      '--share <share>',
      'holdout by time: how much is held out (default: 0.1)',
      parseNumberOf({ min: 0, max: 1 }),
    )
    .option(
      '--negatives <n>',
      'sampled: among how many items each is ranked (default: 99)',
      parseNumberOf({ min: 1, max: NEGATIVES_MAX, whole: true }),
    )
    .option(
      '--weight-max <w>',
      'off-policy: where weights are cut (default: the root of the number of places)',
      parseNumberOf(ANY),
    )
    .option('--seed <n>', 'seeds samples and intervals', parseNumberOf(SEED))
    .option('--from <revision>', 'the first revision to measure on (default: the oldest)')
    .option('--to <revision>', 'the last revision to measure on (default: the latest)')
    .option('--html <file>', 'write a page with charts, too (-: to standard output, in place of the tables)')
    .option('--force', 'replace the file of --html if it exists')
    .option('--tensorboard <folder>', 'write learning curves as files of TensorBoard, too')
    .option('--watch', 'show the live error and throughput again and again, until Ctrl-C')
    .option('--every <seconds>', 'how often --watch looks', parseNumberOf(EVERY_SECONDS), 1)
    .addHelpText('after', DETAILS)
    .action((options: Options, command: Command) => {
      if (options.watch && (options.protocol !== 'prequential' || options.html !== undefined))
        throw new UsageError('--watch shows the live figures: leave --protocol and --html out');
      return withSession(command, async ({ connection, output }) => {
        const curves = options.tensorboard === undefined ? undefined : new Curves(options.tensorboard);
        if (options.watch) return watch(output, options.every, liveSight(connection, options, curves));
        const isPage = options.html !== undefined && fileOf(options.html) === undefined;
        if (isPage && output.json)
          throw new UsageError('--json and --html - both write to standard output: name a file');
        const report = await measure(connection, options, output);
        curves?.addReport(report);
        if (curves) output.note(`learning curves of ${curves.runs} models are in ${options.tensorboard}`);
        if (!output.json && !isPage) printReport(report, output);
      });
    });
}

/** Measures, and writes the page when there is to be one. */
async function measure(connection: Connection, options: Options, output: Output): Promise<EvaluationReport> {
  const onAnswer = (answer: EvaluateResponse) => {
    if (output.json) output.jsonLine(EvaluateResponse.toJSON(answer));
  };
  const { html, force = false } = options;
  if (html === undefined) {
    const progress = output.json ? SILENT : createProgress(output);
    onInterrupt(output, 'the server has stopped the evaluation', () => progress.stop());
    return fetchReport(connection, options, progress, onAnswer);
  }
  const path = fileOf(html);
  return writeFiles(output, path === undefined, async (files, progress) => {
    const sink = files.open(path, force);
    // Programs hear of the progress by the answers themselves.
    const report = await fetchReport(connection, options, output.json ? SILENT : progress, onAnswer);
    await sink.write(renderPage(report));
    return report;
  });
}

/** Measures; `onAnswer` hears everything that the server sends. */
export async function fetchReport(
  connection: Connection,
  options: EvaluateOptions,
  progress: Progress = SILENT,
  onAnswer = (_answer: EvaluateResponse) => {},
): Promise<EvaluationReport> {
  const startMs = performance.now();
  let report: EvaluationReport | undefined;
  try {
    for await (const answer of connection.stream(RecommenderServiceService.evaluate, requestOf(options))) {
      onAnswer(answer);
      const { event } = answer;
      if (event?.$case === 'progress') progress.update(stateOf(event.value, (performance.now() - startMs) / 1000));
      if (event?.$case === 'report') report = event.value;
    }
  } finally {
    progress.stop();
  }
  if (!report) throw new Failure('INTERNAL', 'the server ended the evaluation without a report');
  return report;
}

function requestOf(options: EvaluateOptions): EvaluateRequest {
  const { protocol = 'prequential', models = [], metrics = [], split, share, from, to } = options;
  const isRange = from !== undefined || to !== undefined;
  return EvaluateRequest.fromPartial({
    protocol: PROTOCOLS[protocol],
    models: [...models],
    metrics: [...metrics],
    negatives: options.negatives,
    weightMax: options.weightMax,
    seed: options.seed,
    window: isRange ? { firstRevision: from, lastRevision: to } : undefined,
    holdout: split || share !== undefined ? { split: split && SPLITS[split], share } : undefined,
  });
}

function printReport(report: EvaluationReport, output: Output): void {
  const { protocol, rows, differences } = report;
  const isLive = protocol === EvaluationProtocol.EVALUATION_PROTOCOL_PREQUENTIAL;
  output.table(isLive ? metricTable(rows) : reportTable(rows));
  if (differences.length > 0) {
    output.line('');
    output.table(differenceTable(differences));
  }
  for (const remark of remarksOf(report, isLive)) output.note(remark);
}

/** What the tables do not tell: what was measured on, who has no figures, and why there are none at all. */
function remarksOf(report: EvaluationReport, isLive: boolean): string[] {
  const { rows, trainedCount, heldOutCount } = report;
  const learned = `${formatCount(trainedCount)} ratings were learned and ${formatCount(heldOutCount)} held out`;
  const gaps = gapsOf(report);
  const empty = 'no figures: ratings are measured, and events that carry a value; errors need a model that predicts';
  const isLearned = trainedCount + heldOutCount > 0n;
  return [...(isLive || !isLearned ? [] : [learned]), ...gaps, ...(rows.length + gaps.length === 0 ? [empty] : [])];
}
