import { isDeepStrictEqual } from 'node:util';
import type { Aim } from '../../plugins/contract/index.ts';
import type {
  TuneCandidate,
  TuneModelRequest,
  TuneModelResponse,
  TuneResult,
  TuneStanding,
} from '../../proto/gen/accrete/v1/tuning.ts';
import type { FusionPeriod } from '../config/fusion-period.ts';
import { configHash } from '../config/hash.ts';
import { AccreteError } from '../errors.ts';
import type { Examined } from '../jobs/fuse/contest.ts';
import { requireLoss } from '../jobs/fuse/window-figures.ts';
import { windowSize } from '../jobs/fuse/window-size.ts';
import type { Jobs } from '../jobs/jobs.ts';
import type { JobProgress } from '../jobs/meter.ts';
import type { Searched, SearchTask, Standing, Tried } from '../jobs/tune/search.ts';
import type { ShadowTask } from '../jobs/tune/shadow.ts';
import { LIVE } from '../jobs/tune/trial.ts';
import { revisionText } from '../memory/revisions.ts';
import { modelsBehind } from '../models/inputs.ts';
import type { Model, ModelDescriptor } from '../models/model.ts';
import { specOf } from '../models/model-spec.ts';
import { drawCandidates, requireSpace } from '../models/search-space.ts';
import type { TunedSettings } from '../models/tuned-settings.ts';
import type { Serving } from '../serving/serving.ts';
import { servingInputs } from '../serving/serving-inputs.ts';
import { type LoadedModel, type ModelVersion, nextVersion, versionOf } from '../store/control.ts';
import { type CandidateReport, candidateJob } from './candidates.ts';
import { requireModelName } from './fields.ts';
import { decisionMessage, judgementOf } from './fuse.ts';
import { requireLearning } from './fuse-sources.ts';
import { progressMessage } from './progress-message.ts';
import { periodWith, replayedEvents, requireReplayable } from './tune-period.ts';
import { type TuneTerms, tuneTermsOf } from './tune-terms.ts';

/**
 * ModelService.TuneModel: a job looks for better settings, then another one makes the best candidate, which is judged and
 * promoted as by a Fuse.
 */
export async function* tuneModel(
  request: TuneModelRequest,
  serving: Serving,
  jobs: Jobs,
  signal: AbortSignal,
): AsyncGenerator<TuneModelResponse> {
  const { name } = request;
  const { directory } = serving;
  requireModelName(name, directory.names);
  const terms = tuneTermsOf(request);
  const model = requireLearning(directory.require(name));
  requirePredicting(model, terms.metric);
  windowSize(serving.liveRatings(), terms.guard.windowEvents);
  const task = searchTaskOf(model, request, terms, serving);
  const period = directory.requireEntry(name).decided?.fuse;
  const search = directory.beginSearch(name);
  try {
    const searched = yield* relay(jobs.run('search', task, AbortSignal.any([signal, search.gone])), task);
    const [best] = searched.tried;
    const served = requireSearched(task, period, serving);
    if (best.candidate === LIVE && !request.validateOnly) await noteKept(served, searched, task, serving);
    const settings = task.settings[best.candidate];
    const asked = { task, terms, request };
    const outcome = best.candidate === LIVE ? undefined : yield* judge(served, settings, asked, serving, jobs, signal);
    yield { event: { $case: 'result', value: resultOf(served, searched, task, outcome) } };
  } finally {
    search.end();
  }
}

/** What serves after the search, with the settings that were compared, and its fusion period. Throws MODEL_CHANGING, MODEL_NOT_FOUND, MODEL_FAILED. */
function requireSearched({ live }: SearchTask, period: FusionPeriod | undefined, { directory }: Serving): Model {
  const model = directory.require(live.name);
  const { decided } = directory.requireEntry(live.name);
  if (isDeepStrictEqual(specOf(model), live) && isDeepStrictEqual(decided?.fuse, period)) return model;
  const message = `The settings of ${live.name} have changed while better ones were searched: search again`;
  throw new AccreteError('MODEL_CHANGING', message, { metadata: { model: live.name } });
}

function resultOf(model: Model, searched: Searched, task: SearchTask, outcome: Judgement | undefined): TuneResult {
  const { examined, promoted } = outcome ?? {};
  return {
    candidates: searched.tried.map((tried) => candidateMessage(tried, task)),
    promoted: promoted !== undefined,
    version: promoted?.version ?? '',
    previousVersion: model.version,
    decision: examined && decisionMessage(examined),
    revision: promoted ? revisionText(promoted.revision) : '',
    resumedReplays: searched.resumed,
  };
}

/** Throws CAPABILITY_MISSING. */
function requirePredicting({ name, predicts }: Model, metric: string): void {
  if (predicts || aimOf(metric) === 'ranking') return;
  const message = `Model ${name} predicts no ratings, so it has no ${metric}: name a metric of rankings, such as ndcg@10`;
  throw new AccreteError('CAPABILITY_MISSING', message, { metadata: { model: name, metric } });
}

/** What the history says of every search. */
const ACCOUNT = { kind: 'tune', by: 'call', strategy: '', sources: [] } as const;

/** The live settings are the best ones: that too is a decision. */
async function noteKept(
  { name, version, prequential }: Model,
  { tried }: Searched,
  { metric }: SearchTask,
  { promotions }: Serving,
): Promise<void> {
  const [live, next] = tried.map(({ figures }) => figures.find((figure) => figure.metric === metric));
  const second = next ? `, and the next ones ${next.value.toPrecision(4)}` : '';
  const reason =
    `of ${tried.length} settings the live ones are the best: over ${live?.count} ratings their ${metric} is ` +
    `${live?.value.toPrecision(4)}${second}`;
  const made = {
    outcome: 'kept',
    atMs: Date.now(),
    learned: prequential.events,
    previous: version,
    version: '',
  } as const;
  await promotions.record(name, { ...ACCOUNT, reason, ...made });
}

/** Those of `after` that are others than `before`, by their paths. */
function changedSettings(before: TunedSettings, after: TunedSettings): Record<string, unknown> {
  const [old, own] = [before, after].map(({ config, fuse }) => leavesOf({ ...config, fuse }));
  const known = new Map(old);
  return Object.fromEntries(own.filter(([path, value]) => !isDeepStrictEqual(value, known.get(path))));
}

function leavesOf(settings: object, section = ''): [path: string, value: unknown][] {
  return Object.entries(settings).flatMap(([key, value]: [string, unknown]): [string, unknown][] => {
    const isSection = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isSection ? leavesOf(value, `${section}${key}.`) : [[section + key, value]];
  });
}

function searchTaskOf(
  model: Model,
  { space, seed }: TuneModelRequest,
  { candidates, windowEvents, metric, guard }: TuneTerms,
  { directory, liveRatings: countLive, rankEvery }: Serving,
): SearchTask {
  const { loadedMs, fuse } = directory.requireEntry(model.name).decided as LoadedModel;
  const everyEvents = replayedEvents(fuse);
  const tunable = { plugin: model.plugin, spec: specOf(model), everyEvents };
  requireReplayable(tunable, fuse, space);
  const others = drawCandidates(requireSpace(tunable, aimOf(metric), space), tunable, candidates, seed);
  const found = {
    live: tunable.spec,
    settings: [{ config: tunable.spec.config, fuse: { everyEvents } }, ...others],
    refitSeed: fuse?.seed ?? 0,
    inputs: modelsBehind([model], directory.models).map(specOf),
    windowEvents,
    metric,
    guardMetric: guard.metric,
  };
  // How often places are noted is part of what a search comes to.
  const key = configHash({ ...found, loadedMs, ...(aimOf(metric) === 'ranking' && { rankEvery }) });
  return { ...found, key, liveRatings: countLive() };
}

function aimOf(metric: string): Aim {
  return requireLoss(metric, 'metric').metric.of === 'rank' ? 'ranking' : 'rating';
}

/** What a search says, until it has found something. */
async function* relay(steps: ReturnType<Jobs['run']>, task: SearchTask): AsyncGenerator<TuneModelResponse, Searched> {
  for await (const step of steps as AsyncIterable<SearchStep>) {
    if (step.type === 'progress') yield progressOf(step.progress);
    else if (step.item.type === 'standing')
      yield { event: { $case: 'standing', value: standingMessage(step.item, task) } };
    else return step.item;
  }
  throw new Error('the search found nothing');
}

type SearchStep =
  | { readonly type: 'progress'; readonly progress: JobProgress }
  | { readonly type: 'item'; readonly item: Standing | Searched };

interface Asked {
  readonly task: SearchTask;
  readonly terms: TuneTerms;
  readonly request: TuneModelRequest;
}

interface Judgement {
  readonly examined: Examined | undefined;
  readonly promoted: ModelVersion | undefined;
}

/** Makes the best candidate, judges it, and has it serve if the guard lets it. Throws what that throws. */
async function* judge(
  model: Model,
  settings: TunedSettings,
  { task, terms, request }: Asked,
  serving: Serving,
  jobs: Jobs,
  signal: AbortSignal,
): AsyncGenerator<TuneModelResponse, Judgement> {
  const { name } = model;
  const decided = serving.directory.requireEntry(name).decided as LoadedModel;
  const { version, spent, from } = versionOf(decided);
  const [live] = task.settings;
  const { everyEvents } = settings.fuse;
  const isOther = everyEvents !== live.fuse.everyEvents;
  const common: Omit<ShadowTask, 'descriptor' | 'rendezvous'> = {
    key: { name, version, loadedMs: decided.loadedMs, from },
    live: task.live,
    inputs: servingInputs([model], serving.directory),
    refits: everyEvents > 0,
    options: { seed: task.refitSeed },
    guard: { ...terms.guard, seed: request.seed, spent },
    liveRatings: serving.liveRatings(),
    validateOnly: request.validateOnly,
    search: task.key,
  };
  let examined: Examined | undefined;
  let promoted: ModelVersion | undefined;
  const candidacy = {
    name,
    version: nextVersion(decided),
    origin: 'tune',
    config: settings.config,
    fuse: isOther ? periodWith(decided.fuse, everyEvents, terms.guard.metric) : undefined,
    // It learns the journal alone, from the beginning: what came to the others by files it has not.
    held: () => undefined,
    spent: () => examined?.decision.spent ?? 0,
    account: () => ({
      ...ACCOUNT,
      strategy: everyEvents > 0 ? 'refit' : '',
      reason: `Of ${task.settings.length} settings these are the best by ${task.metric}. ${examined?.decision.reason ?? ''}`,
      judgement: examined && judgementOf(examined, terms.guard.metric),
      settings: changedSettings(live, settings),
    }),
    validateOnly: request.validateOnly,
    begin: (descriptor: ModelDescriptor, rendezvous: number, cut: AbortSignal) =>
      candidateJob(jobs, 'shadow', { ...common, descriptor, rendezvous }, cut),
  };
  for await (const step of serving.promotions.run<CandidateReport>(candidacy, signal)) {
    if (step.type === 'promoted') promoted = step.version;
    else if (step.report.type === 'examined') examined = step.report;
    else yield progressOf(step.report.progress);
  }
  return { examined, promoted };
}

function progressOf(progress: JobProgress): TuneModelResponse {
  return { event: { $case: 'progress', value: progressMessage(progress) } };
}

function standingMessage({ type: _, best, ...standing }: Standing, task: SearchTask): TuneStanding {
  return { ...standing, events: BigInt(standing.events), best: best && candidateMessage(best, task) };
}

function candidateMessage(
  { candidate, events, figures, failure }: Tried,
  { live, settings }: SearchTask,
): TuneCandidate {
  const { config, fuse } = settings[candidate];
  const common = { model: live.name, lower: undefined, upper: undefined, window: 'window', segment: '' };
  return {
    config: { ...config },
    fuseEveryEvents: BigInt(fuse.everyEvents),
    metrics: figures.map(({ metric, value, count }) => ({ ...common, metric, value, count: BigInt(count) })),
    isLive: candidate === LIVE,
    failure,
    events: BigInt(events),
  };
}
