import { type Command, InvalidArgumentError } from 'commander';
import { ModelServiceService } from '../../../proto/gen/accrete/v1/model.ts';
import {
  type TuneCandidate,
  TuneModelRequest,
  TuneModelResponse,
  type TuneResult,
  type TuneStanding,
} from '../../../proto/gen/accrete/v1/tuning.ts';
import { EXIT, Failure } from '../failure.ts';
import { onInterrupt } from '../interrupt.ts';
import { differenceTable } from '../metric-table.ts';
import { formatCount, formatFigure, type Output, type Table } from '../output.ts';
import { createProgress, SILENT, stateOf } from '../progress.ts';
import { parseNumberOf, SEED, withSession } from '../session.ts';
import { findSettings, parseValue, type Settings } from '../settings.ts';

const CANDIDATES = { min: 1, max: 256, whole: true };
const WINDOW = { min: 1000, max: 1_000_000, whole: true };
const GUARD_WINDOW = { min: 1000, max: 100_000, whole: true };

const DETAILS = `
Candidates with other settings replay the latest ratings beside the stream, each rating predicted before it is learned: all
of them a few, the better third three times as many, and so on (successive halving). The best one then learns the whole
journal, and serves if it is no worse than the live model over the latest ratings, as with \`accrete fuse\`; the version
that served is kept with its settings, and \`accrete models rollback\` brings it back.

Without --space the settings are those that the plugin recommends. A setting is named by its path; its values are a list
(\`k=16,32,64\`) or a range (\`l2=0.01..0.2\`, and \`l2=0.01..0.2:log\` to draw by the logarithm). --space may be repeated; it
also takes a JSON object, or @FILE of JSON or YAML: {"k": [16, 32], "l2": {"min": 0.01, "max": 0.2, "log": true}}.
fuse.everyEvents is the fusion period: after how many ratings and events the model is trained anew (0: never).

It ends with ${EXIT.ok} when the best settings serve: other ones, or the live ones as before (with --validate-only: when they would),
and with ${EXIT.declined} when the guard did not let them. Ctrl-C stops it; the same command goes on where it was.

Examples:
  accrete tune mf
  accrete tune mf --space eta=0.05..0.4:log --space replay.count=2,4,8 --candidates 64 --window 200000
  accrete tune mf --space fuse.everyEvents=5000,20000,0
  accrete tune item-cf --metric ndcg@10 --validate-only --json
`;

interface Options {
  readonly space?: Settings;
  readonly candidates?: number;
  readonly window?: number;
  readonly metric?: string;
  readonly seed?: number;
  readonly margin?: number;
  readonly guardMetric?: string;
  readonly guardWindow?: number;
  readonly validateOnly?: boolean;
}

export function addTune(program: Command): void {
  program
    .command('tune')
    .description(
      'look for better settings of a model, by replaying the latest ratings; the best serve if they are no worse',
    )
    .argument('<model>')
    .option('--space <settings>', 'what to search: KEY=VALUES, a JSON object, or @FILE; may be repeated', parseSpace)
    .option('--candidates <n>', 'try so many (default: 32)', parseNumberOf(CANDIDATES))
    .option('--window <ratings>', 'replay so many of the latest ratings (default: 100000)', parseNumberOf(WINDOW))
    .option('--metric <name>', 'what is to become better, such as rmse, mae or ndcg@10 (default: rmse)')
    .option('--seed <n>', 'seeds every draw', parseNumberOf(SEED))
    .option(
      '--margin <share>',
      "what is tolerated of the best, as a share of the live model's loss (default: 0)",
      parseNumberOf({ min: 0, max: 1 }),
    )
    .option('--guard-metric <name>', 'whose loss the guard goes by (default: that of --metric)')
    .option(
      '--guard-window <ratings>',
      'the guard judges by so many of the latest ratings (default: a tenth)',
      parseNumberOf(GUARD_WINDOW),
    )
    .option('--validate-only', 'search and judge, and promote nothing')
    .addHelpText('after', DETAILS)
    .action((model: string, options: Options, command: Command) =>
      withSession(command, async ({ connection, output }) => {
        const progress = output.json ? SILENT : createProgress(output);
        const advice = `the search is stopped, and ${model} is as it was, unless other settings served already; the same command goes on`;
        onInterrupt(output, advice, () => progress.stop());
        const startMs = performance.now();
        let standing: TuneStanding | undefined;
        let result: TuneResult | undefined;
        try {
          for await (const answer of connection.stream(ModelServiceService.tuneModel, requestOf(model, options))) {
            if (output.json) output.jsonLine(TuneModelResponse.toJSON(answer));
            const { event } = answer;
            if (event?.$case === 'standing') standing = event.value;
            if (event?.$case === 'result') result = event.value;
            if (event?.$case !== 'progress') continue;
            const state = stateOf(event.value, (performance.now() - startMs) / 1000);
            progress.update({ ...state, phase: state.phase === 'search' ? searchPhase(standing) : state.phase });
          }
        } finally {
          progress.stop();
        }
        if (!result) throw new Failure('INTERNAL', 'the server ended the search without a result');
        if (!output.json) printResult(model, result, options, output);
        if (result.decision?.passed === false) process.exitCode = EXIT.declined;
      }),
    );
}

/** `rung 2 of 4, 3 of 11 candidates done, best rmse 0.912`. */
function searchPhase(standing: TuneStanding | undefined): string {
  if (!standing) return 'search';
  const { rung, rungs, candidatesDone, candidatesLeft, best } = standing;
  const [figure] = best?.metrics ?? [];
  const parts = [`rung ${rung} of ${rungs}`, `${candidatesDone} of ${candidatesLeft} candidates done`];
  return [...parts, ...(figure ? [`best ${figure.metric} ${formatFigure(figure.value)}`] : [])].join(', ');
}

/** One more part of a space: `KEY=VALUES`, a JSON object, or `@FILE`. */
function parseSpace(text: string, before: Settings = {}): Settings {
  const settings = findSettings(text);
  if (settings) return { ...before, ...settings };
  const [, key, values] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
  if (key === undefined) throw new InvalidArgumentError('It takes KEY=VALUES, a JSON object, or @FILE.');
  const [, min, max, log] = /^(.+?)\.\.(.+?)(:log)?$/.exec(values) ?? [];
  const [low, high] = [Number(min), Number(max)];
  if (min !== undefined && !Number.isNaN(low) && !Number.isNaN(high))
    return { ...before, [key]: { min: low, max: high, ...(log && { log: true }) } };
  return { ...before, [key]: values.split(',').map(parseValue) };
}

function requestOf(name: string, options: Options): TuneModelRequest {
  const { space, candidates, window: windowEvents, metric, seed, margin, guardMetric, guardWindow } = options;
  const isGuarded = [margin, guardMetric, guardWindow].some((option) => option !== undefined);
  return TuneModelRequest.fromPartial({
    name,
    space: space && { ...space },
    candidates,
    windowEvents,
    metric,
    seed,
    guard: isGuarded ? { margin: margin ?? 0, metric: guardMetric, windowEvents: guardWindow } : undefined,
    validateOnly: options.validateOnly,
  });
}

/** Candidates that are listed. */
const LISTED = 10;

function printResult(model: string, result: TuneResult, { validateOnly }: Options, output: Output): void {
  const { candidates, promoted, version, previousVersion, decision, resumedReplays } = result;
  output.table(candidateTable(candidates));
  const failed = candidates.filter(({ failure }) => failure !== '');
  if (failed.length > 0) output.line(`${failed.length} candidates failed, such as: ${failed[0].failure}`);
  if (resumedReplays > 0) output.line(`${resumedReplays} replays were done by a search before`);
  if (decision?.difference) {
    output.line('');
    output.table(differenceTable([decision.difference]));
  }
  output.line('');
  if (decision) output.line(decision.reason);
  const kept = `version ${previousVersion} of ${model}`;
  if (promoted) output.line(`version ${version} of ${model} serves, with the best settings; ${kept} is kept`);
  else if (!decision) output.line(`the live settings are the best ones: ${kept} serves, as before`);
  else if (validateOnly && decision.passed) output.line(`nothing was promoted: ${kept} serves`);
  else output.line(`${kept} serves, as before`);
}

/** The best candidates, each by the settings in which it differs from the live one. */
function candidateTable(candidates: readonly TuneCandidate[]): Table {
  const live = candidates.find(({ isLive }) => isLive);
  const shown = candidates.filter(({ failure }, n) => failure === '' && (n < LISTED || candidates[n] === live));
  const metrics = live?.metrics.map(({ metric }) => metric) ?? [];
  return {
    columns: [
      { name: 'settings' },
      { name: 'ratings', align: 'right' },
      ...metrics.map((name) => ({ name, align: 'right' as const })),
    ],
    rows: shown.map((candidate) => [
      candidate === live ? 'live' : describeSettings(settingsOf(candidate), live ? settingsOf(live) : {}),
      formatCount(candidate.events),
      ...metrics.map((name) => {
        const figure = candidate.metrics.find(({ metric }) => metric === name);
        return figure ? formatFigure(figure.value) : '';
      }),
    ]),
  };
}

/** As a space names them. */
function settingsOf({ config, fuseEveryEvents }: TuneCandidate): object {
  return { ...config, fuse: { everyEvents: Number(fuseEveryEvents) } };
}

function describeSettings(settings: object, live: object): string {
  const before = new Map(leavesOf(live));
  return leavesOf(settings)
    .filter(([path, value]) => JSON.stringify(value) !== JSON.stringify(before.get(path)))
    .map(([path, value]) => `${path}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ');
}

function leavesOf(settings: object, section = ''): [path: string, value: unknown][] {
  return Object.entries(settings).flatMap(([key, value]: [string, unknown]): [string, unknown][] => {
    const isSection = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isSection ? leavesOf(value, `${section}${key}.`) : [[section + key, value]];
  });
}
