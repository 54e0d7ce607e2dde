import type { Drift } from '../../plugins/contract/index.ts';
import type { ModelDrift } from '../../proto/gen/accrete/v1/drift.ts';
import {
  LearningScope,
  ModelState,
  type Model as WireModel,
  type ModelVersion as WireModelVersion,
} from '../../proto/gen/accrete/v1/model.ts';
import { configHash } from '../config/hash.ts';
import { strategiesFor } from '../jobs/fuse/strategies/strategies.ts';
import { revisionText } from '../memory/revisions.ts';
import type { Model } from '../models/model.ts';
import type { LoadProgress, ModelEntry } from '../serving/model-directory.ts';
import type { Serving } from '../serving/serving.ts';
import { type LoadedModel, type ModelVersion, settingsOf, versionsOf } from '../store/control.ts';
import { metricRows } from './figures.ts';
import { wirePeriod } from './fusion-period.ts';
import { progressMessage } from './progress-message.ts';

/** A model as the wire describes it, without hashes. */
export function describeModel(entry: ModelEntry, serving: Serving): WireModel {
  const { choice, state, reason, progress, decided } = entry;
  const model = state === 'AVAILABLE' ? entry.model : undefined;
  const { exactFrom = 1 } = decided ?? {};
  return {
    name: choice.name,
    plugin: choice.plugin,
    state: ModelState[`MODEL_STATE_${state}`],
    stateReason: reason,
    version: '',
    isDefault: choice.name === serving.directory.defaultName,
    config: { ...choice.config },
    configHash: configHash(choice.config),
    learningScope: LearningScope[`LEARNING_SCOPE_${decided?.shadow ? 'SHADOW' : 'SHARED'}`],
    capabilities: [],
    tables: [],
    metrics: [],
    revision: '',
    exactFromRevision: '',
    learnedCount: 0n,
    progress: progress && state === 'LOADING' ? describeProgress(progress) : undefined,
    versions: decided
      ? versionsOf(decided)
          .map((version) => describeVersion(version, decided, serving))
          .reverse()
      : [],
    loadTime: decided && timestampOf(decided.loadedMs),
    inputs: [],
    history: [],
    fusePeriod: decided?.fuse && wirePeriod(decided.fuse),
    drifts: [],
    ...(model && { ...describeState(model, serving), exactFromRevision: revisionText(exactFrom) }),
  };
}

function describeDrift({ number, revision, time, ratings, before, after, ...rest }: Drift): ModelDrift {
  return {
    number: BigInt(number),
    revision: revisionText(revision),
    eventTime: timestampOf(1000 * time),
    ratingCount: BigInt(ratings),
    meanBefore: before,
    meanAfter: after,
    ...rest,
  };
}

function describeVersion(kept: ModelVersion, model: LoadedModel, { versionBytes }: Serving): WireModelVersion {
  const { version, origin, createdMs, revision } = kept;
  return {
    version,
    origin,
    createTime: timestampOf(createdMs),
    revision: revision === 0 ? '' : revisionText(revision),
    bytes: BigInt(versionBytes(model.name, version)),
    configHash: configHash(settingsOf(model, kept)),
  };
}

/** What only a model that was made has. */
function describeState(model: Model, { revisions }: Serving): Partial<WireModel> {
  const { prequential } = model;
  const { quarantinedAt } = prequential;
  const lost = model.inputs.filter(({ peer }) => !peer).map(({ name }) => name);
  return {
    inputs: model.inputs.map(({ name }) => name),
    ...(lost.length > 0 && { stateReason: `answers without its input ${lost.join(', ')}, which failed` }),
    version: model.version,
    capabilities: capabilitiesOf(model),
    tables: model.sizes.map(({ name, rows, bytes }) => ({ name, rows: BigInt(rows), bytes: BigInt(bytes), hash: '' })),
    metrics: metricRows(model),
    drifts: (model.scorer.drifts?.() ?? []).map(describeDrift),
    revision: revisionText(quarantinedAt > 0 ? quarantinedAt : revisions.learned),
    learnedCount: BigInt(prequential.events),
    ...(quarantinedAt > 0 && {
      state: ModelState.MODEL_STATE_END,
      stateReason: `quarantined: its numbers were no longer finite, or it failed, at revision ${revisionText(quarantinedAt)}`,
    }),
  };
}

/** With the strategies by which one is made of several. */
function capabilitiesOf({ capabilities, plugin, descriptor, predicts }: Model): string[] {
  const strategies = strategiesFor(plugin, descriptor.config, predicts);
  return [...new Set([...capabilities, ...strategies.map((name) => name.toLowerCase())])];
}

function describeProgress(progress: LoadProgress): WireModel['progress'] {
  return progressMessage({ phase: 'replay', unit: 'records', ...progress });
}

export function timestampOf(ms: number): WireModel['loadTime'] {
  return { seconds: BigInt(Math.floor(ms / 1000)), nanos: (Math.floor(ms) % 1000) * 1e6 };
}
