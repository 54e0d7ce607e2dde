import { AccreteError } from '../errors.ts';
import type { ExperimentChange } from '../exchange/messages.ts';
import {
  changeExperiment,
  end,
  experimentNotFound,
  makeExperiment,
  movedShare,
  requireArm,
  requireOpen,
  reweigh,
  stopArm,
} from '../experiments/making.ts';
import type { WritableWorld } from '../memory/world.ts';
import type { Model } from '../models/model.ts';
import { encodeControl } from '../store/control.ts';
import { type Deployment, modelNotFound } from '../store/deployment.ts';
import { type Experiment, isToBeIsolated } from '../store/experiment.ts';
import type { Examined } from './examined.ts';

/** Examines what is asked of experiments, once everything before it is learned. */

interface Host {
  readonly host: { readonly world: WritableWorld; readonly arena: { readonly freeBytes: number } };
  readonly teacher: { readonly models: readonly Model[] };
}

/** Throws why it cannot be done. */
export function examineExperiment(change: ExperimentChange, deployment: Deployment, host: Host): Examined {
  const known = deployment.experiments ?? new Map<string, Experiment>();
  const nowMs = Date.now();
  const before = known.get(change.name);
  if (change.how === 'create') {
    const made = makeExperiment(change.wanted, known, nowMs);
    if (made === before) return { record: undefined, experiment: made };
    requireModels(made, host);
    requireRoom(host);
    return toWrite(change, made, 0);
  }
  if (!before) throw experimentNotFound(change.name, known.keys());
  switch (change.how) {
    case 'update': {
      const after = changeExperiment(before, change.wanted, change.fields, known, nowMs);
      requireModels(after, host);
      return toWrite(change, after, movedShare(before, after));
    }
    case 'stopArm':
      requireOpen(before);
      return toWrite(change, stopArm(before, change.arm, change.reason, nowMs), 0);
    case 'weigh': {
      requireOpen(before);
      // Of other arms than there are now: they will be weighed anew.
      if (change.weights.length !== before.arms.length) return { record: undefined, experiment: before };
      const after = reweigh(before, change.weights, nowMs);
      return toWrite(change, after, movedShare(before, after));
    }
    case 'isolate':
      if (!isToBeIsolated(before)) return { record: undefined, experiment: before };
      requireModels(before, host);
      return toWrite(change, { ...before, isolatedMs: nowMs }, 0);
    case 'stop':
      if (before.ended) return { record: undefined, experiment: before };
      return toWrite(change, end(before, { how: 'stopped', atMs: nowMs, reason: change.reason }), 0);
    case 'promote': {
      requireOpen(before);
      requireDefault(change.over, deployment);
      requireModels(before, host);
      const defaultModel = requireArm(before, change.arm).model;
      const experiment = end(before, { how: 'promoted', atMs: nowMs, reason: change.reason });
      return { record: encodeControl({ type: 'experiment', name: change.name, experiment, defaultModel }), experiment };
    }
    case 'drop':
      return {
        record: encodeControl({ type: 'experiment', name: change.name, experiment: null }),
        experiment: null,
      };
  }
}

function toWrite({ name, validateOnly }: ExperimentChange, experiment: Experiment, moved: number): Examined {
  const record = validateOnly ? undefined : encodeControl({ type: 'experiment', name, experiment });
  return { record, experiment, movedShare: moved };
}

/** Of those that answer. Throws MODEL_NOT_FOUND, MODEL_FAILED. */
function requireModels({ arms }: Experiment, { teacher }: Host): void {
  const names = teacher.models.map((model) => model.name);
  for (const { model: name, stopReason } of arms) {
    if (stopReason !== undefined) continue;
    const model = teacher.models.find((each) => each.name === name);
    if (!model) throw modelNotFound(name, names);
    const { quarantinedAt } = model.prequential;
    if (quarantinedAt === 0) continue;
    const message = `Model ${name} stopped learning at revision ${quarantinedAt}: unload it and load it again, or choose another one`;
    throw new AccreteError('MODEL_FAILED', message, { metadata: { model: name } });
  }
}

/** Whoever judged against another one has judged nothing. Throws MODEL_CHANGING. */
function requireDefault(name: string, { defaultModel }: Deployment): void {
  if (name === defaultModel) return;
  const message = `The arm was judged against model ${name}, and ${defaultModel} was made the default one meanwhile: promote it again`;
  throw new AccreteError('MODEL_CHANGING', message, { metadata: { model: name } });
}

/** The memory for answers is set aside with the first experiment. Throws MEMORY_FULL. */
function requireRoom({ host: { world, arena } }: Host): void {
  const { reserveBytes } = world.ledger.answers;
  if (reserveBytes <= arena.freeBytes) return;
  const message = `An experiment keeps its latest answers in ${Math.ceil(reserveBytes / 2 ** 20)} MiB, and so much is not free: unload a model, or raise memory.budgetMiB and start again`;
  throw new AccreteError('MEMORY_FULL', message, { metadata: { bytes: String(reserveBytes) } });
}
