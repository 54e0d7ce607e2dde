import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  FuseRequest,
  FuseResponse,
  type FuseResult,
  type FuseSource,
  FuseStrategy,
} from '../../../proto/gen/accrete/v1/fuse.ts';
import { RecommenderServiceService } from '../../../proto/gen/accrete/v1/recommender.ts';
import { EXIT, Failure } from '../failure.ts';
import { onInterrupt } from '../interrupt.ts';
import { differenceTable, reportTable } from '../metric-table.ts';
import type { Output } from '../output.ts';
import { createProgress, SILENT, stateOf } from '../progress.ts';
import { parseNumberOf, SEED, withSession } from '../session.ts';

const WINDOW = { min: 1000, max: 100_000, whole: true };
const RANK = { min: 1, max: 1024, whole: true };

export const STRATEGIES = {
  refit: FuseStrategy.FUSE_STRATEGY_REFIT,
  average: FuseStrategy.FUSE_STRATEGY_AVERAGE,
  procrustes: FuseStrategy.FUSE_STRATEGY_PROCRUSTES,
  concat: FuseStrategy.FUSE_STRATEGY_CONCAT,
  counts: FuseStrategy.FUSE_STRATEGY_COUNTS,
  blend: FuseStrategy.FUSE_STRATEGY_BLEND,
} as const;

const DETAILS = `
By \`refit\` the model is trained anew on all live ratings, from what it had learned before the window: the latest ratings,
by which it is then judged beside the model that serves. By the others it becomes one with what sources had learned by then:
\`average\` and \`procrustes\` (which first turns the sources onto the model) average factors, \`concat\` keeps the best of all
of them side by side, \`counts\` adds up, and \`blend\` keeps the model and the sources as members of one version, each of
which goes on learning, and learns how much each is to be believed. A source is the name of another model, \`version:N\` for an earlier version of the
model, or \`file:NAME\` for a model file that was imported.

Both predict each rating of the window before they learn it. The new version serves if the upper end of the 95% interval of
what it loses by that is within the margin; the one that served is kept, and \`accrete models rollback\` brings it back. The
margin is spent: what promotions may have lost is taken from the next ones, until a candidate is surely better.

It ends with ${EXIT.ok} when the new version serves (with --validate-only: when it would), and with ${EXIT.declined} when the guard did not
let it. Ctrl-C stops it, and the model is as it was.

Examples:
  accrete fuse mf
  accrete fuse mf --margin 0.02 --window 20000
  accrete fuse mf --strategy procrustes --source mf-north --source file:south.safetensors
  accrete fuse mf --metric ndcg@10 --validate-only --json
`;

interface Options {
  readonly strategy?: keyof typeof STRATEGIES;
  readonly source?: readonly FuseSource[];
  readonly rank?: number;
  readonly force?: boolean;
  readonly margin?: number;
  readonly metric?: string;
  readonly window?: number;
  readonly seed?: number;
  readonly validateOnly?: boolean;
}

export function addFuse(program: Command): void {
  program
    .command('fuse')
    .description(
      'make a new version of a model, from all live ratings or of several models, that serves if it is no worse',
    )
    .argument('<model>')
    .addOption(new Option('--strategy <name>', 'how it is made (default: refit)').choices(Object.keys(STRATEGIES)))
    .option('--source <source>', 'what goes into it besides; may be repeated', parseSource)
    .option('--rank <factors>', 'concat: keep so many factors (default: as many as the model has)', parseNumberOf(RANK))
    .option('--force', 'average: also models of different bases, and a file once more')
    .option(
      '--margin <share>',
      "what is tolerated, as a share of the live model's loss (default: 0.005)",
      parseNumberOf({ min: 0, max: 1 }),
    )
    .option('--metric <name>', 'whose loss counts, such as rmse, mae or ndcg@10 (default: rmse)')
    .option('--window <ratings>', 'judge by so many of the latest ratings (default: a tenth)', parseNumberOf(WINDOW))
    .option('--seed <n>', 'seeds every draw', parseNumberOf(SEED))
    .option('--validate-only', 'make and judge the candidate, and promote nothing')
    .addHelpText('after', DETAILS)
    .action((model: string, options: Options, command: Command) =>
      withSession(command, async ({ connection, output }) => {
        const progress = output.json ? SILENT : createProgress(output);
        onInterrupt(output, `the work is stopped; ${model} is as it was, unless the new version served already`, () =>
          progress.stop(),
        );
        const startMs = performance.now();
        let result: FuseResult | undefined;
        try {
          for await (const answer of connection.stream(RecommenderServiceService.fuse, requestOf(model, options))) {
            if (output.json) output.jsonLine(FuseResponse.toJSON(answer));
            const { event } = answer;
            if (event?.$case === 'progress')
              progress.update(stateOf(event.value, (performance.now() - startMs) / 1000));
            if (event?.$case === 'result') result = event.value;
          }
        } finally {
          progress.stop();
        }
        if (!result) throw new Failure('INTERNAL', 'the server ended the work without a result');
        if (!output.json) printResult(result, options, output);
        if (!result.decision?.passed) process.exitCode = EXIT.declined;
      }),
    );
}

/** A name of a model, or `version:` or `file:` and what is meant. */
export function parseSource(text: string, before: readonly FuseSource[] = []): readonly FuseSource[] {
  const [, $case = 'model', value] = /^(?:(model|version|file|address):)?(.*)$/s.exec(text) ?? [];
  if (!value) throw new InvalidArgumentError('It takes the name of a model, version:N or file:NAME.');
  return [...before, { source: { $case: $case as 'model', value } }];
}

function requestOf(model: string, options: Options): FuseRequest {
  const { strategy, source, rank, force, margin, metric, window, seed, validateOnly } = options;
  const isSet = [rank, force, seed].some((option) => option !== undefined);
  return FuseRequest.fromPartial({
    model,
    strategy: strategy && STRATEGIES[strategy],
    sources: [...(source ?? [])],
    options: isSet ? { rank, force, seed } : undefined,
    guard: { margin, metric, windowEvents: window },
    validateOnly,
  });
}

function printResult(result: FuseResult, { validateOnly }: Options, output: Output): void {
  const { model, promoted, version, previousVersion, before, after, decision } = result;
  output.table(reportTable(before.flatMap((row, n) => [row, ...after.slice(n, n + 1)])));
  if (decision?.difference) {
    output.line('');
    output.table(differenceTable([decision.difference]));
  }
  output.line('');
  if (decision) output.line(decision.reason);
  const kept = `version ${previousVersion} of ${model}`;
  if (promoted) output.line(`version ${version} of ${model} serves; ${kept} is kept`);
  else if (validateOnly && decision?.passed) output.line(`nothing was promoted: ${kept} serves`);
  else output.line(`${kept} serves, as before`);
}
