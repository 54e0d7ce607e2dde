import { type Joined, modelsBehind } from '../models/inputs.ts';
import { type ModelSpec, specOf } from '../models/model-spec.ts';
import { begunOf, type LoadedModel } from '../store/control.ts';
import type { ModelDirectory } from './model-directory.ts';

/** A model that answers, and what is decided of it. */
export interface ServingInput {
  readonly spec: ModelSpec;
  readonly loadedMs: number;
  /** The settings of its first version. */
  readonly begunAs: LoadedModel['config'];
  /** Its plugin. */
  readonly begunBy: string;
}

/** What some models have as inputs, and their inputs, each once: one of the models, too, where another has it. */
export function servingInputs(models: readonly Joined[], directory: ModelDirectory): ServingInput[] {
  const behind = new Set(models.flatMap((model) => modelsBehind([model], directory.models)));
  return [...behind].flatMap((input) => {
    const { decided } = directory.requireEntry(input.name);
    if (!decided) return [];
    const { config: begunAs, plugin: begunBy } = begunOf(decided);
    return [{ spec: specOf(input), loadedMs: decided.loadedMs, begunAs, begunBy }];
  });
}
