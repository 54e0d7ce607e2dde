import { type Command, InvalidArgumentError, Option } from 'commander';
import { EXIT, Failure, UsageError } from '../failure.ts';
import { areEnough, type Columns, parseColumns } from '../import/columns.ts';
import { Import, type ImportOptions, type ImportSummary } from '../import/import.ts';
import { formatCount, formatFigure, type Output } from '../output.ts';
import { createProgress } from '../progress.ts';
import { parseNumberOf, withSession } from '../session.ts';

/** What a server takes in one request unless it is configured otherwise. */
const BATCH_MAX = 10_000;

const DETAILS = `
The file has commas (quoted as usual), tabs or :: between its fields, or a JSON object in every line; it may be
compressed by gzip or zstd. Times are seconds or milliseconds since 1970, or ISO 8601. A header, or the keys of the
objects, name the columns in any order (userId, movieId or itemId, rating or value, timestamp or time, weight, kind,
retract, recommendation_id); without a header they are user, item, value, time.

What has a kind is an event, such as a click; it needs no value, and the server must be configured for its kind.

An import that was interrupted goes on where it stopped when the same command is run again: the server recognises what
it has learned within the last 24 hours. To learn a file once more on purpose, give the second import a --run.
`;

export function addImport(program: Command): void {
  program
    .command('import')
    .description('learn a file of ratings')
    .argument('<file>', 'csv, tsv, :: or JSON Lines; - for standard input')
    .option(
      '--columns <names>',
      'which field is what: user,item,value,time,weight,kind,… in the order of the file, _ for one to pass over',
      parseColumnsOption,
    )
    .option('--kind <kind>', 'what the rows are that name no kind, such as click (default: ratings)')
    .addOption(
      new Option('--sort <key>', 'learn in the order of time instead of the file; reads all of it into memory').choices(
        ['time'],
      ),
    )
    .option('--batch <n>', 'ratings in one message', parseNumberOf({ min: 1, max: BATCH_MAX, whole: true }), 500)
    .addOption(
      new Option('--on-error <what>', 'what a line does that is no rating').choices(['stop', 'skip']).default('stop'),
    )
    .option('--predictions <model>', 'collect what this model expects of each rating, and print its error')
    .option('--run <name>', 'tells this import apart from another one of the same file')
    .addHelpText('after', DETAILS)
    .action((path: string, options: Omit<ImportOptions, 'path'>, command: Command) => {
      const { columns, kind = '' } = options;
      if (columns && !areEnough(columns, kind))
        throw new UsageError('--columns needs a value, a kind or retract beside user and item, unless --kind is given');
      return withSession(command, async ({ connection, output }) => {
        const progress = createProgress(output);
        process.once('SIGINT', () => {
          progress.stop();
          output.fail(new Failure('INTERRUPTED', 'run the same command again to go on where it stopped'));
          process.exit(EXIT.interrupted);
        });
        const summary = await new Import(connection, { path, ...options }, progress).run();
        printSummary(summary, output);
        if (summary.skipped > 0) process.exitCode = EXIT.incomplete;
      });
    });
}

/** Also for the demonstration. */
export function printSummary(summary: ImportSummary, output: Output): void {
  if (output.json) {
    output.jsonLine({ summary });
    return;
  }
  const { accepted, duplicates, skipped, skippedLines, seconds, revision, predictions } = summary;
  const speed = formatCount((accepted + duplicates) / seconds);
  output.line(
    `${formatCount(accepted)} ratings learned in ${seconds.toFixed(1)} s (${speed}/s), as of revision ${revision || 'none'}`,
  );
  if (duplicates > 0) output.line(`${formatCount(duplicates)} had been learned before`);
  if (predictions?.rmse !== undefined) {
    const { model, rmse, mae, count } = predictions;
    output.line(
      `${model} expected them with RMSE ${formatFigure(rmse)} and MAE ${formatFigure(mae)} (${formatCount(count)} first ratings)`,
    );
  }
  if (skipped === 0) return;
  output.note(`${formatCount(skipped)} lines were left out${skipped > skippedLines.length ? ', among them' : ''}:`);
  for (const { field, description } of skippedLines) output.note(`  ${field} ${description}`);
}

function parseColumnsOption(text: string): Columns {
  try {
    return parseColumns(text);
  } catch (error) {
    throw new InvalidArgumentError(`${(error as Error).message}.`);
  }
}
