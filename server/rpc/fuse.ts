import type { FuseRequest, FuseResponse, FuseResult } from '../../proto/gen/accrete/v1/fuse.ts';
import { AccreteError, invalidField } from '../errors.ts';
import type { Examined, FuseTask } from '../jobs/fuse/fuse.ts';
import { shapeOf } from '../jobs/fuse/strategies/comparable.ts';
import { STRATEGIES, type StrategyName, strategiesFor } from '../jobs/fuse/strategies/strategies.ts';
import type { Jobs } from '../jobs/jobs.ts';
import { revisionText } from '../memory/revisions.ts';
import type { Model } from '../models/model.ts';
import type { Serving } from '../serving/serving.ts';
import { type LoadedModel, type ModelVersion, nextVersion, versionOf } from '../store/control.ts';
import type { CallTelemetry } from './call-telemetry.ts';
import { type CandidateReport, candidateJob } from './candidates.ts';
import { requireLearning, sourcesOf } from './fuse-sources.ts';
import { termsOf } from './fuse-terms.ts';
import { figureMessage } from './holdout.ts';
import { progressMessage } from './progress-message.ts';

/** RecommenderService.Fuse: a candidate is made and judged by a job, with its progress, and promoted if the guard lets it. */
export async function* fuse(
  request: FuseRequest,
  serving: Serving,
  jobs: Jobs,
  signal: AbortSignal,
  telemetry: CallTelemetry,
): AsyncGenerator<FuseResponse> {
  const { model: name, validateOnly } = request;
  const { strategy, options, guard } = termsOf(request);
  const model = requireAble(name, strategy, serving);
  requireRank(model, options.rank);
  const sources = sourcesOf(request.sources, model, strategy, serving.directory);
  const decided = serving.directory.requireEntry(name).decided as LoadedModel;
  const { version, spent, from, held } = versionOf(decided);
  const common = {
    key: { name, version, loadedMs: decided.loadedMs, from },
    strategy,
    options,
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
    spent: () => examined?.decision.spent ?? 0,
    held: () => examined?.held,
    reason: () => examined?.decision.reason ?? '',
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
    telemetry.fuses.add(1, { strategy, result: outcome });
  }
}

type Outcome = 'promoted' | 'refused' | 'validated' | 'cancelled' | 'failed';

/** Throws MODEL_NOT_FOUND, MODEL_FAILED, CAPABILITY_MISSING. */
function requireAble(name: string, strategy: StrategyName, { directory }: Serving): Model {
  const model = requireLearning(directory.require(name));
  const obstacleOf = ({ plugin, descriptor }: Model) => STRATEGIES[strategy].obstacle(plugin, descriptor.config);
  const obstacle = obstacleOf(model);
  if (obstacle === undefined) return model;
  const able = directory.models.filter((each) => obstacleOf(each) === undefined).map((each) => each.name);
  const others = strategiesFor(model.plugin, model.descriptor.config);
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
  const { decision, difference, before, after, diagnostics } = examined;
  return {
    model: model.name,
    promoted: promoted !== undefined,
    version: promoted?.version ?? '',
    previousVersion: version,
    before: before.map(figureMessage),
    after: after.map(figureMessage),
    decision: {
      passed: decision.passed,
      reason: decision.reason,
      difference: { ...figureMessage(difference), baseline: difference.baseline },
      margin: decision.margin,
      marginLeft: decision.marginLeft,
    },
    diagnostics: { ...diagnostics },
    revision: promoted ? revisionText(promoted.revision) : '',
  };
}
