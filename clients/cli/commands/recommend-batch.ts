import { type Command, Option } from 'commander';
import {
  RecommendBatchRequest,
  RecommenderServiceService,
  UserRecommendations,
} from '../../../proto/gen/accrete/v1/recommender.ts';
import type { Connection } from '../connection.ts';
import { joinCommas, joinTabs } from '../export/rating-text.ts';
import { EXIT, Failure, type Fault, statusFailure } from '../failure.ts';
import { LineSplitter } from '../import/lines.ts';
import { nameOf, openSource } from '../import/source.ts';
import { formatCount, type Output } from '../output.ts';
import { FORMATS, type Format, fileOf, formatOf, type Sink } from '../output-file.ts';
import { type Progress, stateOf } from '../progress.ts';
import { withSession } from '../session.ts';
import { writeFiles } from '../write-files.ts';
import { addRecommendOptions, fieldsOf, type RecommendOptions } from './recommendation.ts';

/** A server takes so many in one call. */
const USERS_MAX = 10_000;
/** Users without an answer that are told one by one. */
const FAULTS_MAX = 20;
const COLUMNS = ['user', 'rank', 'item', 'score', 'predicted', 'model', 'revision'];

const DETAILS = `
--users names a file with one id a line (- for standard input); without it every known user gets a list. A file that
ends in .gz or .zst is compressed. It has its name when it is whole. A user who cannot be answered is told, left out of
csv and tsv, and has an error in JSON Lines; the exit code is 3 then.

Examples:
  accrete recommend-batch --output lists.jsonl.gz --count 20
  accrete recommend-batch --users users.txt --output lists.csv --filter 'labels:"new"'
`;

interface Options extends RecommendOptions {
  readonly users?: string;
  readonly output: string;
  readonly format?: Format;
  readonly force?: boolean;
}

export function addRecommendBatch(program: Command): void {
  const command = program
    .command('recommend-batch')
    .description('recommendations for many users, to a file')
    .requiredOption('--output <file>', 'where to (- for standard output)')
    .option('--users <file>', 'for whom: one id a line (default: every known user)')
    .addOption(new Option('--format <format>', "default: what the file's name ends with, else jsonl").choices(FORMATS))
    .option('--force', 'replace a file that exists');
  addRecommendOptions(command)
    .addHelpText('after', DETAILS)
    .action((options: Options, command: Command) =>
      withSession(command, async ({ connection, output }) => {
        const path = fileOf(options.output);
        const batch = await writeFiles(output, path === undefined, async (files, progress) => {
          const sink = files.open(path, options.force === true);
          const batch = new Batch(connection, options, sink, progress);
          await batch.run();
          return batch;
        });
        printSummary(batch, path, output);
      }),
    );
}

/** Lists for many users, written as they come. */
class Batch {
  readonly #connection: Connection;
  readonly #options: Options;
  readonly #sink: Sink;
  readonly #progress: Progress;
  readonly #format: Format;
  readonly #startMs = performance.now();
  readonly faults: Fault[] = [];
  users = 0;
  failed = 0;

  constructor(connection: Connection, options: Options, sink: Sink, progress: Progress) {
    this.#connection = connection;
    this.#options = options;
    this.#sink = sink;
    this.#progress = progress;
    this.#format = options.format ?? formatOf(options.output) ?? 'jsonl';
  }

  get seconds(): number {
    return (performance.now() - this.#startMs) / 1000;
  }

  async run(): Promise<void> {
    const { users: path } = this.#options;
    if (this.#format !== 'jsonl') await this.#sink.write(this.#row(COLUMNS));
    if (path === undefined) await this.#ask([]);
    else {
      const ids = await readIds(path);
      for (let start = 0; start < ids.length; start += USERS_MAX)
        await this.#ask(ids.slice(start, start + USERS_MAX), ids.length);
    }
    this.#progress.stop();
  }

  /** `total`: of users in all calls, where there are several. */
  async #ask(userIds: readonly string[], total?: number): Promise<void> {
    const request = RecommendBatchRequest.fromPartial({ ...fieldsOf(this.#options), userIds: [...userIds] });
    for await (const { event } of this.#connection.stream(RecommenderServiceService.recommendBatch, request)) {
      if (event?.$case === 'recommendations') await this.#take(event.value);
      if (event?.$case !== 'progress') continue;
      const state = stateOf(event.value, this.seconds);
      const whole = total === undefined ? state : { ...state, total, secondsLeft: undefined };
      this.#progress.update({ ...whole, done: this.users, position: this.users });
    }
  }

  async #take(found: UserRecommendations): Promise<void> {
    const { userId, outcome } = found;
    this.users++;
    if (outcome?.$case === 'error') {
      this.failed++;
      if (this.faults.length < FAULTS_MAX)
        this.faults.push({
          field: `user ${JSON.stringify(userId)}`,
          description: String(statusFailure(outcome.value)),
        });
    }
    if (this.#format === 'jsonl') await this.#sink.write(`${JSON.stringify(UserRecommendations.toJSON(found))}\n`);
    else if (outcome?.$case === 'answer') {
      const { items, model, revision } = outcome.value;
      const rows = items.map(({ itemId, score, predictedValue }, n) =>
        this.#row([userId, String(n + 1), itemId, String(score), String(predictedValue ?? ''), model, revision]),
      );
      if (rows.length > 0) await this.#sink.write(rows.join(''));
    }
  }

  #row(cells: readonly string[]): string {
    return this.#format === 'tsv' ? joinTabs(cells) : joinCommas(cells);
  }
}

async function readIds(path: string): Promise<string[]> {
  const { chunks } = await openSource(path);
  const splitter = new LineSplitter();
  const ids: string[] = [];
  const take = (lines: ReturnType<LineSplitter['end']>) => {
    for (const { number, text, problem } of lines) {
      if (problem) throw new Failure('BAD_LINE', `${nameOf(path)} line ${number} ${problem}`);
      if (text !== '') ids.push(text);
    }
  };
  for await (const chunk of chunks) take(splitter.push(chunk));
  take(splitter.end());
  if (ids.length === 0) throw new Failure('BAD_FILE', `${nameOf(path)} names no users: it takes one id a line`);
  return ids;
}

function printSummary({ users, failed, faults, seconds }: Batch, path: string | undefined, output: Output): void {
  if (failed > 0) process.exitCode = EXIT.incomplete;
  if (output.json) {
    const summary = { users, failed, faults, seconds };
    if (path !== undefined) output.jsonLine({ summary });
    // Lists are on standard output; in csv and tsv nothing there tells who has none.
    else if (failed > 0) output.stderr.write(`${JSON.stringify({ summary })}\n`);
    return;
  }
  const where = path ?? 'standard output';
  output.note(`lists for ${formatCount(users - failed)} users to ${where} in ${seconds.toFixed(1)} s`);
  if (failed === 0) return;
  output.note(`${formatCount(failed)} users have none${failed > faults.length ? ', among them' : ''}:`);
  for (const { field, description } of faults) output.note(`  ${field}: ${description}`);
}
