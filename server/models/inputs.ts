import type { InputSpec, Plugin } from '../../plugins/contract/index.ts';
import { AccreteError } from '../errors.ts';
import type { ModelSpec } from './model-spec.ts';

/** Models that have other models as inputs: a graph without circles, by names. */

/** A model that is yet to be made. */
export interface Named {
  readonly plugin: Plugin;
  readonly spec: ModelSpec;
}

/** A model among others: its name, and those of its inputs. */
export interface Joined {
  readonly name: string;
  readonly inputs: readonly { readonly name: string }[];
}

/** Names of the models that a model has as inputs, each once. */
export function inputsOf({ plugin, spec }: Named): readonly string[] {
  return [...new Set(inputSpecs({ plugin, spec }).map(({ model }) => model))];
}

/** What it asks of each, as often as it says so. */
export function inputSpecs({ plugin, spec }: Named): readonly InputSpec[] {
  const inputs = plugin.inputs?.(spec.config as never) ?? [];
  return inputs.map((input) => (typeof input === 'string' ? { model: input } : input));
}

/** A model that is yet to be made, among others. */
export function joined<Each extends Named>(resolved: Each): Joined & { readonly resolved: Each } {
  return { name: resolved.spec.name, inputs: inputsOf(resolved).map((name) => ({ name })), resolved };
}

/** The models with every one before its inputs: so it learns an event while they are as they were before it. */
export function inLearningOrder<Each extends Joined>(models: readonly Each[]): Each[] {
  const ordered = new Set<Each>();
  const visit = (model: Each) => {
    if (ordered.has(model)) return;
    for (const other of models) if (other.inputs.some(({ name }) => name === model.name)) visit(other);
    ordered.add(model);
  };
  for (const model of models) visit(model);
  return [...ordered];
}

/** Throws MODEL_IN_USE when one of the models has `name` as an input. */
export function requireNoInput(name: string, models: readonly Joined[]): void {
  const users = models.filter(({ inputs }) => inputs.some((input) => input.name === name));
  if (users.length === 0) return;
  const list = users.map((model) => model.name).join(', ');
  const message = `Model ${name} cannot be unloaded: it is an input of ${list}; unload ${users.length > 1 ? 'those' : 'that'} first`;
  throw new AccreteError('MODEL_IN_USE', message, { metadata: { model: name } });
}

/** The inputs of models, their inputs, and so on, of `all`; none of the models themselves. */
export function modelsBehind<Each extends Joined>(models: readonly Joined[], all: readonly Each[]): Each[] {
  const found = new Set<Each>();
  const visit = ({ inputs }: Pick<Joined, 'inputs'>) => {
    for (const input of inputs) {
      const other = all.find(({ name }) => name === input.name);
      if (!other || found.has(other)) continue;
      found.add(other);
      visit(other);
    }
  };
  for (const model of models) visit(model);
  const own = new Set(models.map(({ name }) => name));
  return [...found].filter(({ name }) => !own.has(name));
}
