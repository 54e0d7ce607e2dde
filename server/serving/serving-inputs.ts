import { type Joined, modelsBehind } from '../models/inputs.ts';
import type { ModelSpec } from '../models/model-spec.ts';
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

/** The models that one has as inputs, and theirs. */
export function servingInputs(model: Joined, directory: ModelDirectory): ServingInput[] {
  return modelsBehind([model], directory.models).flatMap(({ name, descriptor }) => {
    const { namespace, plugin, config } = descriptor;
    const { decided } = directory.requireEntry(name);
    if (!decided) return [];
    const { config: begunAs, plugin: begunBy } = begunOf(decided);
    return [{ spec: { namespace, name, plugin, config }, loadedMs: decided.loadedMs, begunAs, begunBy }];
  });
}
