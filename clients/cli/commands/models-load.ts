import { type Command, InvalidArgumentError, Option } from 'commander';
import type { FuseSource, FusionPeriod } from '../../../proto/gen/accrete/v1/fuse.ts';
import {
  LearningScope,
  LoadModelRequest,
  LoadModelResponse,
  ModelServiceService,
} from '../../../proto/gen/accrete/v1/model.ts';
import type { Connection } from '../connection.ts';
import { UsageError } from '../failure.ts';
import { parseDuration } from '../import/time.ts';
import { onInterrupt } from '../interrupt.ts';
import { listModels, stateNameOf } from '../model-list.ts';
import { formatCount } from '../output.ts';
import { createProgress, type Progress, stateOf } from '../progress.ts';
import { withSession } from '../session.ts';
import { findSettings, mergeSettings, parseValue, type Settings, settingAt } from '../settings.ts';
import { parseSource, STRATEGIES } from './fuse.ts';

/** A model may have a long journal to learn. */
const TIMEOUT_MS = 24 * 3_600_000;
const LOOK_EVERY_MS = 500;

const DETAILS = `
The settings are given as KEY=VALUE (once for each; a key is a path, such as replay.count), as a JSON object, or as @FILE of
JSON or YAML; those left out have the plugin's defaults (docs/plugins.md).

Examples:
  accrete models load mf-slow --plugin mf --config eta=0.1 --config replay.count=2
  accrete models load trial --plugin ./my-plugin/plugin.ts --config '{"seed": 2}' --shadow
  accrete models load big --plugin mf --config @big.yaml --dry-run
  accrete models load mf --plugin mf --fuse-every 24h
`;

interface Options {
  readonly fuseEvery?: Pick<FusionPeriod, 'everyEvents' | 'every'>;
  readonly fuseStrategy?: keyof typeof STRATEGIES;
  readonly fuseSource?: readonly FuseSource[];
  readonly plugin: string;
  readonly config?: Settings;
  readonly shadow?: boolean;
  readonly dryRun?: boolean;
}

export function addLoad(models: Command): void {
  models
    .command('load')
    .description('add a model; it learns the journal, and this returns when it answers')
    .argument('<name>')
    .requiredOption('--plugin <plugin>', "the algorithm: a name (mf), or a path or package on the server's machine")
    .option('--config <setting>', 'settings: key=value, JSON, or @file; may be given again', parseConfig)
    .option(
      '--fuse-every <period>',
      'make a new version by itself after so many ratings (100000) or so long (24h); off: never',
      parsePeriod,
    )
    .addOption(
      new Option('--fuse-strategy <name>', 'how that is made (default: refit)').choices(Object.keys(STRATEGIES)),
    )
    .option('--fuse-source <source>', 'what goes into it besides; may be given again', parseSource)
    .option('--shadow', 'it learns and is measured, and answers nobody who does not name it')
    .option('--dry-run', 'check plugin, settings and memory, and load nothing')
    .addHelpText('after', DETAILS)
    .action((name: string, options: Options, command: Command) =>
      withSession(command, async ({ connection, output }) => {
        const progress = createProgress(output);
        onInterrupt(output, `${name} goes on loading; see accrete models --watch`, () => progress.stop());
        const answer = await load(connection, requestOf(name, options), progress);
        output.answer(LoadModelResponse.toJSON(answer), () => {
          const { model } = answer;
          if (options.dryRun) output.line(`${name} can be loaded`);
          else if (model)
            output.line(`${name} is ${stateNameOf(model)}, with ${formatCount(model.learnedCount)} ratings learned`);
        });
      }),
    );
}

/** Tells of its progress until it is loaded. */
async function load(connection: Connection, request: LoadModelRequest, progress: Progress): Promise<LoadModelResponse> {
  const startMs = performance.now();
  let timer: NodeJS.Timeout | undefined;
  let ended = false;
  const look = async () => {
    // How it goes is no part of the work: that it cannot be seen just now is no failure.
    const models = await listModels(connection).catch(() => []);
    const found = models.find(({ name }) => name === request.name)?.progress;
    if (ended) return;
    if (found) progress.update(stateOf(found, (performance.now() - startMs) / 1000));
    timer = setTimeout(look, LOOK_EVERY_MS);
  };
  timer = setTimeout(look, LOOK_EVERY_MS);
  try {
    return await connection.call(ModelServiceService.loadModel, request, TIMEOUT_MS);
  } finally {
    ended = true;
    clearTimeout(timer);
    progress.stop();
  }
}

function requestOf(name: string, options: Options): LoadModelRequest {
  const { plugin, config, shadow, dryRun, fuseEvery, fuseStrategy, fuseSource } = options;
  if (!fuseEvery && (fuseStrategy || fuseSource))
    throw new UsageError('--fuse-strategy and --fuse-source say how: say when, too, by --fuse-every');
  const learningScope = shadow ? LearningScope.LEARNING_SCOPE_SHADOW : LearningScope.LEARNING_SCOPE_UNSPECIFIED;
  return LoadModelRequest.fromPartial({
    name,
    plugin,
    config: config && { ...config },
    learningScope,
    validateOnly: dryRun,
    fusePeriod: fuseEvery && {
      ...fuseEvery,
      strategy: fuseStrategy && STRATEGIES[fuseStrategy],
      sources: [...(fuseSource ?? [])],
    },
  });
}

/** `100000`, `24h` or `off`. */
function parsePeriod(text: string): Options['fuseEvery'] {
  if (text === 'off') return { everyEvents: 0n, every: undefined };
  if (/^[1-9]\d{0,9}$/.test(text)) return { everyEvents: BigInt(text), every: undefined };
  const every = parseDuration(text);
  if (every && every.seconds > 0n) return { everyEvents: 0n, every };
  throw new InvalidArgumentError('It takes a number of ratings, a time such as 90s, 30m, 24h or 7d, or off.');
}

/** Reads `k=64`, `replay.count=2`, `{"k": 64}` or `@file`; later settings replace earlier ones. */
function parseConfig(text: string, before: Settings = {}): Settings {
  return mergeSettings(before, parseSettings(text));
}

function parseSettings(text: string): Settings {
  const settings = findSettings(text);
  if (settings) return settings;
  const at = text.indexOf('=');
  const path = text.slice(0, Math.max(0, at)).split('.');
  if (path.includes('')) throw new InvalidArgumentError('It takes KEY=VALUE, a JSON object, or @FILE.');
  return settingAt(path, parseValue(text.slice(at + 1)));
}
