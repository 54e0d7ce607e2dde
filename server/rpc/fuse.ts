import { type FuseRequest, type FuseResponse, type FuseResult, FuseStrategy } from '../../proto/gen/accrete/v1/fuse.ts';
import { AccreteError } from '../errors.ts';
import { MARGIN_DEFAULT } from '../jobs/fuse/decision.ts';
import type { Examined, FuseTask } from '../jobs/fuse/fuse.ts';
import { requireLoss } from '../jobs/fuse/window-figures.ts';
import { WINDOW_MAX, WINDOW_MIN } from '../jobs/fuse/window-size.ts';
import type { Jobs } from '../jobs/jobs.ts';
import { revisionText } from '../memory/revisions.ts';
import type { Model } from '../models/model.ts';
import type { Serving } from '../serving/serving.ts';
import { type LoadedModel, type ModelVersion, nextVersion, versionOf } from '../store/control.ts';
import type { CallTelemetry } from './call-telemetry.ts';
import { type CandidateReport, candidateJob } from './candidates.ts';
import { Fields } from './fields.ts';
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
  const { guard, seed } = termsOf(request);
  const model = requireRefittable(name, serving);
  const decided = serving.directory.requireEntry(name).decided as LoadedModel;
  const { version, spent, from } = versionOf(decided);
  const common = {
    key: { name, version, loadedMs: decided.loadedMs, from },
    seed,
    guard: { ...guard, seed, spent },
    liveRatings: serving.liveRatings(),
    validateOnly,
  };
  let examined: Examined | undefined;
  let promoted: ModelVersion | undefined;
  const candidacy = {
    name,
    version: nextVersion(decided),
    origin: 'fuse:refit',
    spent: () => examined?.decision.spent ?? 0,
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
    telemetry.fuses.add(1, { strategy: 'REFIT', result: outcome });
  }
}

type Outcome = 'promoted' | 'refused' | 'validated' | 'cancelled' | 'failed';

/** Throws INVALID_FIELD, NOT_IMPLEMENTED. */
function termsOf({ model, strategy, sources, options, guard }: FuseRequest): {
  readonly guard: Omit<FuseTask['guard'], 'seed' | 'spent'>;
  readonly seed: number;
} {
  const fields = new Fields();
  if (model === '') fields.refuse('model', 'is empty: name the model that gets the new version');
  requireRefit(strategy, fields);
  if (sources.length > 0) fields.refuse('sources', 'is for other strategies: REFIT takes none');
  if (options?.rank) fields.refuse('options.rank', 'is for CONCAT: leave it out');
  if (options?.force) fields.refuse('options.force', 'is for AVERAGE: leave it out');
  const { metric = '', margin = MARGIN_DEFAULT, windowEvents = 0 } = guard ?? {};
  if (!(margin >= 0 && margin <= 1)) fields.refuse('guard.margin', `is ${margin}: send 0 to 1`);
  if (windowEvents !== 0 && (windowEvents < WINDOW_MIN || windowEvents > WINDOW_MAX))
    fields.refuse('guard.window_events', `is ${windowEvents}: send ${WINDOW_MIN} to ${WINDOW_MAX}, or 0`);
  fields.check();
  requireLoss(metric);
  return { guard: { metric, margin, windowEvents }, seed: options?.seed ?? 0 };
}

function requireRefit(strategy: FuseStrategy, fields: Fields): void {
  if (strategy === FuseStrategy.FUSE_STRATEGY_UNSPECIFIED || strategy === FuseStrategy.FUSE_STRATEGY_REFIT) return;
  const name = Object.entries(FuseStrategy).find(([, value]) => value === strategy)?.[0];
  if (name === undefined || name === 'UNRECOGNIZED') {
    fields.refuse('strategy', `is ${strategy}, which is no strategy`);
    return;
  }
  const message = `${name} is not implemented by this version of the server: use FUSE_STRATEGY_REFIT`;
  throw new AccreteError('NOT_IMPLEMENTED', message, { metadata: { strategy: name } });
}

/** Throws MODEL_NOT_FOUND, MODEL_FAILED, CAPABILITY_MISSING. */
function requireRefittable(name: string, { directory }: Serving): Model {
  const model = directory.require(name);
  if (model.prequential.quarantinedAt > 0) {
    const message = `Model ${name} failed and learns no more: unload it and load it again`;
    throw new AccreteError('MODEL_FAILED', message, { metadata: { model: name } });
  }
  if (model.plugin.refit) return model;
  const able = directory.models.filter(({ plugin }) => plugin.refit).map((each) => each.name);
  const hint = able.length > 0 ? `these can: ${able.join(', ')}` : 'no model of this server can';
  const message = `Model ${name} cannot be refitted, since its plugin has no refit; ${hint}`;
  throw new AccreteError('CAPABILITY_MISSING', message, { metadata: { model: name, capability: 'refit' } });
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
