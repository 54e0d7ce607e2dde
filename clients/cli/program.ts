import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { addBench } from './commands/bench.ts';
import { addCheckpoint } from './commands/checkpoint.ts';
import { addCompletion } from './commands/completion.ts';
import { addDoctor } from './commands/doctor.ts';
import { addEvaluate } from './commands/evaluate.ts';
import { addExperiments } from './commands/experiments.ts';
import { addExport } from './commands/export.ts';
import { addForget } from './commands/forget.ts';
import { addFuse } from './commands/fuse.ts';
import { addHealth } from './commands/health.ts';
import { addImport } from './commands/import.ts';
import { addItems } from './commands/items.ts';
import { addModels } from './commands/models.ts';
import { addPlugin } from './commands/plugin.ts';
import { addRate } from './commands/rate.ts';
import { addRatings } from './commands/ratings.ts';
import { addRecommend } from './commands/recommend.ts';
import { addRecommendBatch } from './commands/recommend-batch.ts';
import { addScenarios } from './commands/scenarios.ts';
import { addServe } from './commands/serve.ts';
import { addSimilar } from './commands/similar.ts';
import { addToken } from './commands/token.ts';
import { addTune } from './commands/tune.ts';
import { addUsers } from './commands/users.ts';
import { EXIT, UsageError } from './failure.ts';
import { Output } from './output.ts';
import { addSharedOptions } from './session.ts';

const EXIT_CODES = `
Exit codes:
  ${EXIT.ok}    all was done
  ${EXIT.failed}    a call failed, or a file could not be read
  ${EXIT.usage}    the command was written wrong; nothing was called
  ${EXIT.incomplete}    an import or a batch is complete, less some lines or users that were left out
  ${EXIT.declined}    a new version of a model was made and judged, and does not serve
  ${EXIT.interrupted}  stopped by Ctrl-C
(\`serve\` ends with the exit code of the server)
`;

/** In the order in which the help lists them. */
const COMMANDS = [
  addServe,
  addImport,
  addExport,
  addRate,
  addRatings,
  addRecommend,
  addSimilar,
  addRecommendBatch,
  addItems,
  addUsers,
  addForget,
  addScenarios,
  addExperiments,
  addModels,
  addCheckpoint,
  addFuse,
  addTune,
  addEvaluate,
  addBench,
  addPlugin,
  addToken,
  addHealth,
  addDoctor,
  addCompletion,
];

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** Does what the command line says, and returns its exit code. */
export async function run(args: readonly string[]): Promise<number> {
  try {
    await createProgram().parseAsync(args, { from: 'user' });
    return Number(process.exitCode ?? EXIT.ok);
  } catch (error) {
    // Commander has told its own errors already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    new Output(args.includes('--json')).fail(error);
    return error instanceof UsageError ? EXIT.usage : EXIT.failed;
  }
}

/** The whole command line, without running it. */
export function createProgram(): Command {
  const program = new Command('accrete')
    .description('Works with a recommender server that learns from every rating before it answers.')
    .version(version)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'accrete: ')) })
    .showHelpAfterError('(see --help)')
    .addHelpText('after', EXIT_CODES)
    .exitOverride();
  addSharedOptions(program);
  for (const add of COMMANDS) add(program);
  return program;
}
