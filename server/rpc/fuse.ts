import type { FuseRequest, FuseResponse, FuseResult, GuardDecision } from '../../proto/gen/accrete/v1/fuse.ts';
import { AccreteError, invalidField } from '../errors.ts';
import type { Examined } from '../jobs/fuse/contest.ts';
import type { FuseTask } from '../jobs/fuse/fuse.ts';
import { shapeOf } from '../jobs/fuse/strategies/comparable.ts';
import { obstacleTo, type StrategyName, strategiesFor } from '../jobs/fuse/strategies/strategies.ts';
import { requireLoss } from '../jobs/fuse/window-figures.ts';
import type { Jobs } from '../jobs/jobs.ts';
import { revisionText } from '../memory/revisions.ts';
import type { Model } from '../models/model.ts';
import { specOf } from '../models/model-spec.ts';
import type { Serving } from '../serving/serving.ts';
import { type LoadedModel, type ModelVersion, nextVersion, versionOf } from '../store/control.ts';
import type { ChangeAccount, Judgement } from '../store/history.ts';
import { blendOfModels } from './blend-of-models.ts';
import type { CallTelemetry } from './call-telemetry.ts';
import { type CandidateReport, candidateJob } from './candidates.ts';
import { requireLearning, sourcesOf } from './fuse-sources.ts';
import { termsOf } from './fuse-terms.ts';
import { figureMessage } from './holdout.ts';
import { progressMessage } from './progress-message.ts';
import { sourceText } from './source-text.ts';

/** RecommenderService.Fuse: a candidate is made and judged by a job, with its progress, and promoted if the guard lets it. */
export async function* fuse(
  request: FuseRequest,
  serving: Serving,
  jobs: Jobs,
  signal: AbortSignal,
  telemetry: CallTelemetry,
  by: ChangeAccount['by'] = 'call',
  fetched: ReadonlyMap<string, string> = new Map(),
): AsyncGenerator<FuseResponse> {
  const { model: name, validateOnly } = request;
  const { terms, model, sources } = examineFuse(request, serving, fetched);
  const { strategy, options, guard } = terms;
  const form = strategy === 'BLEND' ? await blendOfModels(model, sources) : undefined;
  const decided = serving.directory.requireEntry(name).decided as LoadedModel;
  const { version, spent, from, held } = versionOf(decided);
  const common = {
    key: { name, version, loadedMs: decided.loadedMs, from },
    strategy,
    options,
    live: specOf(model),
    sources,
    held,
    guard: { ...guard, seed: options.seed, spent },
    liveRatings: serving.liveRatings(),
    validateOnly,
  };
  let examined: Examined | undefined;
  let promoted: ModelVersion | undefined;
  const candidacy = {
    name,
    version: nextVersion(decided),
    origin: `fuse:${strategy.toLowerCase()}`,
    ...form,
    spent: () => examined?.decision.spent ?? 0,
    held: () => examined?.held,
    account: () => ({
      kind: 'fuse' as const,
      by,
      strategy: strategy.toLowerCase(),
      sources: request.sources.map(sourceText),
      reason: examined?.decision.reason ?? '',
      judgement: examined && judgementOf(examined, guard.metric),
    }),
    validateOnly,
    begin: (descriptor: FuseTask['descriptor'], rendezvous: number, cut: AbortSignal) =>
      candidateJob(jobs, 'fuse', { ...common, descriptor, rendezvous }, cut),
  };
  let outcome: Outcome = 'failed';
  try {
    for await (const step of serving.promotions.run<CandidateReport>(candidacy, signal)) {
      if (step.type === 'promoted') promoted = step.version;
      else if (step.report.type === 'examined') examined = step.report;
      else yield { event: { $case: 'progress', value: progressMessage(step.report.progress) } };
    }
    if (!examined) return;
    outcome = promoted ? 'promoted' : examined.decision.passed ? 'validated' : 'refused';
    yield { event: { $case: 'result', value: resultOf(model, version, examined, promoted) } };
  } finally {
    if (outcome === 'failed' && signal.aborted) outcome = 'cancelled';
    telemetry.fuses.add(1, { strategy, result: outcome, by });
  }
}

/**
 * What is asked for, as far as it can be told at once; `fetched` has the imports of models of other servers, by address.
 * Throws INVALID_FIELD, MODEL_NOT_FOUND, MODEL_FAILED, VERSION_NOT_FOUND, CAPABILITY_MISSING.
 */
export function examineFuse(request: FuseRequest, serving: Serving, fetched: ReadonlyMap<string, string>) {
  const terms = termsOf(request);
  const model = requireAble(request.model, terms.strategy, serving);
  requireRank(model, terms.options.rank);
  const sources = sourcesOf(request.sources, model, terms.strategy, serving.directory, fetched);
  return { terms, model, sources };
}

/** By the metric that the guard went by. */
export function judgementOf({ decision, difference, before, after }: Examined, metric: string): Judgement {
  const { name } = requireLoss(metric).metric;
  const { passed, margin, marginLeft } = decision;
  const isIt = (figure: { readonly metric: string }) => figure.metric === name;
  return { passed, before: before.find(isIt), after: after.find(isIt), difference, margin, marginLeft };
}

type Outcome = 'promoted' | 'refused' | 'validated' | 'cancelled' | 'failed';

/** Throws MODEL_NOT_FOUND, MODEL_FAILED, CAPABILITY_MISSING. */
function requireAble(name: string, strategy: StrategyName, { directory }: Serving): Model {
  const model = requireLearning(directory.require(name));
  const obstacleOf = ({ plugin, descriptor, predicts }: Model) =>
    obstacleTo(strategy, plugin, descriptor.config, predicts);
  const obstacle = obstacleOf(model);
  if (obstacle === undefined) return model;
  const able = directory.models.filter((each) => obstacleOf(each) === undefined).map((each) => each.name);
  const others = strategiesFor(model.plugin, model.descriptor.config, model.predicts);
  const hints = [
    able.length > 0 ? `these can: ${able.join(', ')}` : 'no model of this server can',
    others.length > 0 ? `this one takes ${others.join(', ')}` : 'this one takes no strategy',
  ];
  const message = `Model ${name} takes no ${strategy}, since ${obstacle}; ${hints.join('; ')}`;
  throw new AccreteError('CAPABILITY_MISSING', message, {
    metadata: { model: name, capability: strategy.toLowerCase() },
  });
}

/** Throws INVALID_FIELD. */
function requireRank({ name, plugin, descriptor: { config } }: Model, rank: number): void {
  if (rank === 0) return;
  const { fusion, columns } = shapeOf(name, plugin, config);
  const ranks = Object.keys(fusion.columns).map((column) =>
    fusion.columns[column].as === 'factors' ? (columns.get(column)?.width ?? 0) : 0,
  );
  const most = Math.max(...ranks);
  if (rank > most)
    throw invalidField(
      'options.rank',
      `is ${rank}, and ${name} has ${most} factors: load a model with more, and fuse into that`,
    );
}

function resultOf(model: Model, version: string, examined: Examined, promoted: ModelVersion | undefined): FuseResult {
  const { before, after, diagnostics } = examined;
  return {
    model: model.name,
    promoted: promoted !== undefined,
    version: promoted?.version ?? '',
    previousVersion: version,
    before: before.map(figureMessage),
    after: after.map(figureMessage),
    decision: decisionMessage(examined),
    diagnostics: { ...diagnostics },
    revision: promoted ? revisionText(promoted.revision) : '',
  };
}

/** What a guard found, on the wire. */
export function decisionMessage({ decision, difference }: Pick<Examined, 'decision' | 'difference'>): GuardDecision {
  const { passed, reason, margin, marginLeft } = decision;
  const found = { ...figureMessage(difference), baseline: difference.baseline };
  return { passed, reason, difference: found, margin, marginLeft };
}
