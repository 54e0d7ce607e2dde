import { type Command, Option } from 'commander';
import type { Connection } from '../connection.ts';
import { EXIT, type Fault, UsageError } from '../failure.ts';
import { areEnough, type Columns, parseColumns } from '../import/columns.ts';
import { Import, type ImportOptions, type ImportSummary } from '../import/import.ts';
import { hasId, itemFieldsOf } from '../import/item-columns.ts';
import { ItemImport, type ItemImportSummary } from '../import/item-import.ts';
import { onInterrupt } from '../interrupt.ts';
import { formatCount, formatFigure, type Output } from '../output.ts';
import { createProgress, type Progress } from '../progress.ts';
import { parseList, parseNumberOf, withSession } from '../session.ts';

/** What a server takes in one request unless it is configured otherwise. */
const BATCH_MAX = 10_000;

const DETAILS = `
The file has commas (quoted as usual), tabs or :: between its fields, or a JSON object in every line; it may be
compressed by gzip or zstd. Times are seconds or milliseconds since 1970, or ISO 8601.

Ratings: a header, or the keys of the objects, name the columns in any order (userId, movieId or itemId, rating or
value, timestamp or time, weight, kind, retract, recommendation_id); without a header they are user, item, value, time.
What has a kind is an event, such as a click; it needs no value, and the server must be configured for its kind.

An import that was interrupted goes on where it stopped when the same command is run again: the server recognises what
it has learned within the last 24 hours. To learn a file once more on purpose, give the second import a --run.

Items (--items): the header names an id (item_id, movieId), title, categories or genres and labels (with | between
them), available, available_from, available_until; any other column is an attribute. Of a file of movies by MovieLens
the year in the title becomes the attribute year. Running it again is safe.

Examples:
  accrete import ratings.csv --sort time
  accrete import clicks.jsonl.gz --kind click --on-error skip
  zcat log.gz | accrete import - --columns user,_,item,value,time
  accrete import --items movies.csv
`;

interface Options extends Omit<ImportOptions, 'path' | 'columns'> {
  readonly columns?: string;
  readonly items?: boolean;
  readonly update?: readonly string[];
}

export function addImport(program: Command): void {
  program
    .command('import')
    .description('learn a file of ratings, or take a file of items')
    .argument('<file>', 'csv, tsv, :: or JSON Lines; - for standard input')
    .option('--items', 'the file is of items, not of ratings')
    .option(
      '--columns <names>',
      'which field is what, in the order of the file: user,item,value,time,weight,kind,retract,recommendation_id; _ for one to pass over',
    )
    .option('--kind <kind>', 'what the rows are that name no kind, such as click (default: ratings)')
    .addOption(
      new Option('--sort <key>', 'learn in the order of time instead of the file; reads all of it into memory').choices(
        ['time'],
      ),
    )
    .option('--batch <n>', 'rows in one message', parseNumberOf({ min: 1, max: BATCH_MAX, whole: true }), 500)
    .addOption(
      new Option('--on-error <what>', 'what a line does that cannot be taken')
        .choices(['stop', 'skip'])
        .default('stop'),
    )
    .option('--predictions <model>', 'collect what this model expects of each rating, and print its error')
    .option('--run <name>', 'tells this import apart from another one of the same file')
    .option('--update <fields>', 'items: replace these fields alone, such as title,labels,attributes', parseList)
    .addHelpText('after', DETAILS)
    .action((path: string, options: Options, command: Command) => {
      const work = options.items ? itemsOf(path, options) : ratingsOf(path, options);
      return withSession(command, async ({ connection, output }) => {
        const progress = createProgress(output);
        onInterrupt(output, 'run the same command again to go on where it stopped', () => progress.stop());
        const skipped = await work(connection, progress, output);
        if (skipped > 0) process.exitCode = EXIT.incomplete;
      });
    });
}

/** Does an import, prints what became of it, and returns how many lines were left out. */
type Work = (connection: Connection, progress: Progress, output: Output) => Promise<number>;

function ratingsOf(path: string, { columns: names, items, update, ...rest }: Options): Work {
  if (update) throw new UsageError('--update is for --items');
  const columns = names === undefined ? undefined : columnsOf(names);
  if (columns && !areEnough(columns, rest.kind ?? ''))
    throw new UsageError('--columns needs a value, a kind or retract beside user and item, unless --kind is given');
  return async (connection, progress, output) => {
    const summary = await new Import(connection, { ...rest, path, columns }, progress).run();
    printSummary(summary, output);
    return summary.skipped;
  };
}

function columnsOf(names: string): Columns {
  try {
    return parseColumns(names);
  } catch (error) {
    throw new UsageError(`--columns ${names}: ${(error as Error).message}`);
  }
}

function itemsOf(path: string, { columns: names, ...options }: Options): Work {
  const { batch, onError, update } = options;
  const foreign = (['kind', 'sort', 'predictions', 'run'] as const).find((name) => options[name] !== undefined);
  if (foreign) throw new UsageError(`--${foreign} is for ratings: leave it out, or --items`);
  const columns = names?.split(',');
  if (columns && !hasId(itemFieldsOf(columns))) throw new UsageError('--columns needs an id: item_id');
  return async (connection, progress, output) => {
    const summary = await new ItemImport(connection, { path, columns, batch, onError, update }, progress).run();
    printItemSummary(summary, output);
    return summary.skipped;
  };
}

/** Also for the demonstration. */
export function printSummary(summary: ImportSummary, output: Output): void {
  if (output.json) {
    output.jsonLine({ summary });
    return;
  }
  const { accepted, duplicates, seconds, revision, predictions } = summary;
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
  noteSkipped(summary, output);
}

function printItemSummary(summary: ItemImportSummary, output: Output): void {
  if (output.json) {
    output.jsonLine({ summary });
    return;
  }
  const { created, updated, seconds, revision } = summary;
  output.line(
    `${formatCount(created)} items added and ${formatCount(updated)} replaced in ${seconds.toFixed(1)} s, as of revision ${revision || 'none'}`,
  );
  noteSkipped(summary, output);
}

function noteSkipped(
  { skipped, skippedLines }: { readonly skipped: number; readonly skippedLines: readonly Fault[] },
  output: Output,
): void {
  if (skipped === 0) return;
  output.note(`${formatCount(skipped)} lines were left out${skipped > skippedLines.length ? ', among them' : ''}:`);
  for (const { field, description } of skippedLines) output.note(`  ${field} ${description}`);
}
