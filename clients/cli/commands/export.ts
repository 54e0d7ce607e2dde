import { type Command, InvalidArgumentError, Option } from 'commander';
import { Export, type ExportSummary } from '../export/export.ts';
import { ratingText } from '../export/rating-text.ts';
import { LastOutSplit, type Split, TimeSplit } from '../export/split.ts';
import { UsageError } from '../failure.ts';
import { COLUMNS, type Column } from '../import/columns.ts';
import { formatCount, type Output } from '../output.ts';
import { FORMATS, type Format, fileOf, formatOf } from '../output-file.ts';
import { parseNumberOf, withSession } from '../session.ts';
import { writeFiles } from '../write-files.ts';

const DETAILS = `
It has everything that was learned, in that order: edits and retractions as they came, forgotten users left out. An
import of the file into an empty store gives the same state, but for what was told of items and users. In csv and tsv
times are seconds since 1970, in JSON Lines ISO 8601; both have all digits, to the nanosecond. A file that ends in .gz
or .zst is compressed. It has its name when it is whole.

A split reads everything twice. --test-share holds the latest ratings out, by event time; --leave-last-out each user's
last rating, with whatever else was rated of that user and item.

Examples:
  accrete export --output ratings.csv
  accrete export --output ratings.jsonl.zst --from 00000000000000001000
  accrete export --output train.csv --test test.csv --test-share 0.1
  accrete export | sqlite3 ratings.db '.import --csv /dev/stdin ratings'
`;

interface Options {
  readonly output?: string;
  readonly format?: Format;
  readonly columns?: readonly Column[];
  readonly from?: string;
  readonly to?: string;
  readonly test?: string;
  readonly testShare?: number;
  readonly leaveLastOut?: boolean;
  readonly force?: boolean;
}

export function addExport(program: Command): void {
  program
    .command('export')
    .description('write all ratings to a file')
    .option('--output <file>', 'where to (default: -, standard output)')
    .addOption(
      new Option('--format <format>', "default: what the file's name ends with, else csv; with --json, jsonl").choices(
        FORMATS,
      ),
    )
    .option('--columns <names>', `of csv and tsv (default: ${COLUMNS.join(',')})`, parseColumnList)
    .option('--from <revision>', 'the first revision (default: the oldest)')
    .option('--to <revision>', 'the last revision (default: the latest now)')
    .option('--test <file>', 'where to write what is held out')
    .option('--test-share <share>', 'hold out this share, the latest ratings', parseNumberOf({ min: 0, max: 1 }))
    .option('--leave-last-out', "hold out each user's last rating")
    .option('--force', 'replace files that exist')
    .addHelpText('after', DETAILS)
    .action((options: Options, command: Command) => {
      const split = splitOf(options);
      const { force = false, from, to } = options;
      const [path, testPath] = [fileOf(options.output), fileOf(options.test)];
      const toStdout = path === undefined || (split !== undefined && testPath === undefined);
      return withSession(command, async ({ connection, output }) => {
        const textOf = (name: string | undefined) => {
          const format = options.format ?? formatOf(name ?? '') ?? (output.json && toStdout ? 'jsonl' : 'csv');
          return ratingText(format, options.columns);
        };
        const summary = await writeFiles(output, toStdout, async (files, progress) => {
          const sink = files.open(path, force);
          const test = split && { split, sink: files.open(testPath, force), text: textOf(testPath) };
          return await new Export(connection, { from, to, text: textOf(path), sink, test }, progress).run();
        });
        if (!toStdout || !output.json) printSummary(summary, output, { path, testPath, split });
      });
    });
}

function splitOf({ output, test, testShare, leaveLastOut }: Options): Split | undefined {
  if (testShare === undefined && !leaveLastOut) {
    if (test !== undefined)
      throw new UsageError('--test needs --test-share or --leave-last-out, to say what is held out');
    return undefined;
  }
  if (test === undefined) throw new UsageError('--test FILE is needed, to say where what is held out goes');
  if (fileOf(output) === undefined && fileOf(test) === undefined)
    throw new UsageError('what is held out and the rest would both go to standard output: name a file for one');
  if (testShare !== undefined && leaveLastOut)
    throw new UsageError('--test-share and --leave-last-out are two ways to divide the ratings: choose one');
  return testShare === undefined ? new LastOutSplit() : new TimeSplit(testShare);
}

function parseColumnList(text: string): readonly Column[] {
  const names = text.split(',');
  const unknown = names.find((name) => !COLUMNS.includes(name as Column));
  if (unknown !== undefined)
    throw new InvalidArgumentError(`${JSON.stringify(unknown)} is no column: name ${COLUMNS.join(', ')}.`);
  return names as Column[];
}

interface Places {
  readonly path: string | undefined;
  readonly testPath: string | undefined;
  readonly split: Split | undefined;
}

function printSummary(summary: ExportSummary, output: Output, { path, testPath, split }: Places): void {
  if (output.json) {
    output.jsonLine({ summary });
    return;
  }
  const { ratings, testRatings, firstRevision, lastRevision, seconds } = summary;
  const range = lastRevision === '' ? '' : `, revisions ${firstRevision} to ${lastRevision}`;
  const [where, testWhere] = [path, testPath].map((name) => name ?? 'standard output');
  const held = split && ` and ${formatCount(testRatings)} to ${testWhere}`;
  output.note(`${formatCount(ratings)} ratings to ${where}${held ?? ''} in ${seconds.toFixed(1)} s${range}`);
}
