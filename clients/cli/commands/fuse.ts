import type { Command } from 'commander';
import { FuseRequest, FuseResponse, type FuseResult } from '../../../proto/gen/accrete/v1/fuse.ts';
import { RecommenderServiceService } from '../../../proto/gen/accrete/v1/recommender.ts';
import { EXIT, Failure } from '../failure.ts';
import { onInterrupt } from '../interrupt.ts';
import { differenceTable, reportTable } from '../metric-table.ts';
import type { Output } from '../output.ts';
import { createProgress, SILENT, stateOf } from '../progress.ts';
import { parseNumberOf, withSession } from '../session.ts';

const WINDOW = { min: 1000, max: 100_000, whole: true };
const SEED_MAX = 2 ** 32 - 1;

const DETAILS = `
The model is trained anew on all live ratings, from what it had learned before the window: the latest ratings, by which it
is then judged beside the model that serves. Both predict each of them before they learn it. The new version serves if the
upper end of the 95% interval of what it loses by that is within the margin; the one that served is kept, and
\`accrete models rollback\` brings it back. The margin is spent: what promotions may have lost is taken from the next ones,
until a candidate is surely better.

It ends with ${EXIT.ok} when the new version serves (with --validate-only: when it would), and with ${EXIT.declined} when the guard did not
let it. Ctrl-C stops it, and the model is as it was.

Examples:
  accrete fuse mf
  accrete fuse mf --margin 0.02 --window 20000
  accrete fuse mf --metric ndcg@10 --validate-only --json
`;

interface Options {
  readonly margin?: number;
  readonly metric?: string;
  readonly window?: number;
  readonly seed?: number;
  readonly validateOnly?: boolean;
}

export function addFuse(program: Command): void {
  program
    .command('fuse')
    .description('make a new version of a model from all live ratings, and let it serve if it is no worse')
    .argument('<model>')
    .option(
      '--margin <share>',
      "what is tolerated, as a share of the live model's loss (default: 0.005)",
      parseNumberOf({ min: 0, max: 1 }),
    )
    .option('--metric <name>', 'whose loss counts, such as rmse, mae or ndcg@10 (default: rmse)')
    .option('--window <ratings>', 'judge by so many of the latest ratings (default: a tenth)', parseNumberOf(WINDOW))
    .option('--seed <n>', 'seeds every draw', parseNumberOf({ min: 0, max: SEED_MAX, whole: true }))
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

function requestOf(model: string, { margin, metric, window, seed, validateOnly }: Options): FuseRequest {
  return FuseRequest.fromPartial({
    model,
    options: seed === undefined ? undefined : { seed },
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
