import type { Plugin } from '../../plugins/contract/index.ts';
import { AccreteError, type FieldViolation } from '../errors.ts';
import type { ModelSpec } from './model-spec.ts';

/** Models that have other models as inputs: a graph without circles, by names. */

interface Named {
  readonly plugin: Plugin;
  readonly spec: Pick<ModelSpec, 'config' | 'name'>;
}

/** A model among others: its name, and those of its inputs. */
export interface Joined {
  readonly name: string;
  readonly inputs: readonly { readonly name: string }[];
}

/** Names of the models that a model has as inputs, each once. */
export function inputsOf({ plugin, spec }: Named): readonly string[] {
  return [...new Set(plugin.inputs?.(spec.config as never) ?? [])];
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

/**
 * Each of these models may have the others, and those named `present`, as inputs. `placeOf` says where a model stands, for
 * messages. Throws CONFIG_INVALID with every mistake.
 */
export function requireInputs(
  models: readonly Named[],
  present: readonly string[] = [],
  placeOf = (n: number) => `models[${n}].`,
): void {
  const violations = inputViolations(models, present, placeOf);
  if (violations.length === 0) return;
  const list = violations.map(({ field, description }) => `${field} ${description}`).join('; ');
  throw new AccreteError('CONFIG_INVALID', `The inputs of models are wrong: ${list}`, { violations });
}

function inputViolations(
  models: readonly Named[],
  present: readonly string[],
  placeOf: (n: number) => string,
): FieldViolation[] {
  const names = new Set([...present, ...models.map(({ spec }) => spec.name)]);
  return models.flatMap((model, n) => {
    const field = `${placeOf(n)}config`;
    const missing = inputsOf(model).filter((name) => !names.has(name));
    if (missing.length > 0) {
      const list = missing.map((name) => JSON.stringify(name)).join(', ');
      const lacks = `has ${list} as ${missing.length > 1 ? 'inputs, which are no models' : 'an input, which is no model'}`;
      const others = [...names].filter((name) => name !== model.spec.name);
      const choice = others.length > 0 ? `there are ${others.join(', ')}` : 'there is no other model';
      return [{ field, description: `${lacks}: ${choice}` }];
    }
    const circle = circleOf(model, models);
    if (circle.length === 0) return [];
    return [{ field, description: `closes a circle of inputs (${circle.join(' -> ')}): leave one of them out` }];
  });
}

/** The way from a model over its inputs back to itself; empty: there is none. */
function circleOf(model: Named, models: readonly Named[]): string[] {
  const start = model.spec.name;
  const seen = new Set<string>();
  const walk = (at: Named, way: readonly string[]): string[] => {
    for (const name of inputsOf(at)) {
      if (name === start) return [...way, name];
      if (seen.has(name)) continue;
      seen.add(name);
      const next = models.find(({ spec }) => spec.name === name);
      const found = next ? walk(next, [...way, name]) : [];
      if (found.length > 0) return found;
    }
    return [];
  };
  return walk(model, [start]);
}
