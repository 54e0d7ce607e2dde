import { AccreteError, type FieldViolation } from '../errors.ts';
import { inputSpecs, inputsOf, type Named } from './inputs.ts';
import { offersOf } from './offers.ts';

/**
 * Each of these models may have the others, and those `present`, as inputs, if they can do what it asks of them; of one that
 * failed the name alone is known. `placeOf` says where a model stands, for messages. Throws CONFIG_INVALID with every mistake.
 */
export function requireInputs(
  models: readonly Named[],
  present: readonly (Named | string)[] = [],
  placeOf = (n: number) => `models[${n}].`,
): void {
  const violations = inputViolations(models, [...present, ...models], placeOf);
  if (violations.length === 0) return;
  const list = violations.map(({ field, description }) => `${field} ${description}`).join('; ');
  throw new AccreteError('CONFIG_INVALID', `The inputs of models are wrong: ${list}`, { violations });
}

function inputViolations(
  models: readonly Named[],
  present: readonly (Named | string)[],
  placeOf: (n: number) => string,
): FieldViolation[] {
  const all = new Map(present.map((each) => (typeof each === 'string' ? [each, undefined] : [each.spec.name, each])));
  return models.flatMap((model, n) => {
    const field = `${placeOf(n)}config`;
    const missing = inputsOf(model).filter((name) => !all.has(name));
    if (missing.length > 0) {
      const list = missing.map((name) => JSON.stringify(name)).join(', ');
      const lacks = `has ${list} as ${missing.length > 1 ? 'inputs, which are no models' : 'an input, which is no model'}`;
      const others = [...all.keys()].filter((name) => name !== model.spec.name);
      const choice = others.length > 0 ? `there are ${others.join(', ')}` : 'there is no other model';
      return [{ field, description: `${lacks}: ${choice}` }];
    }
    const circle = circleOf(model, models);
    if (circle.length === 0) return inabilities(model, all).map((description) => ({ field, description }));
    return [{ field, description: `closes a circle of inputs (${circle.join(' -> ')}): leave one of them out` }];
  });
}

/** What a model asks of its inputs that they cannot do. */
function inabilities(model: Named, all: ReadonlyMap<string, Named | undefined>): string[] {
  return inputSpecs(model).flatMap(({ model: name, predicts = false, head, vectors = false }) => {
    const input = all.get(name);
    const offers = input && (predicts || vectors || head !== undefined) ? offersOf(input) : undefined;
    if (!offers) return [];
    const lacks: string[] = [];
    if (predicts && !offers.predicts)
      lacks.push(`asks ${name} for expected ratings, and ${name} predicts none as it is set: leave it out there`);
    if (vectors && !offers.hasVectors)
      lacks.push(`asks ${name} for vectors of items, and ${name} has none as it is set: name a model that has`);
    if (head !== undefined && !offers.heads.includes(head)) {
      const heads = offers.heads.length > 0 ? `it has ${offers.heads.join(', ')}` : 'it has none by a name';
      lacks.push(
        `asks ${name} for its ranking ${JSON.stringify(head)}: ${heads}; without a name it is that by which it ranks itself`,
      );
    }
    return lacks;
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
