import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { type Aim, exp2, ln, type Plugin, Random, type Range } from '../../plugins/contract/index.ts';
import { show } from '../config/layer.ts';
import { didYouMean } from '../config/nearest.ts';
import { describeAllowed, listLeaves, type SchemaNode } from '../config/settings.ts';
import { AccreteError, type FieldViolation, invalidField } from '../errors.ts';
import { inputsOf } from './inputs.ts';
import type { ModelSpec } from './model-spec.ts';
import { type TunedSettings, tunedSchema } from './tuned-settings.ts';

/** The settings that a search tries, and candidates that are drawn from them. */

/** A setting and the values that it may have. */
export interface Dimension {
  /** In `TunedSettings`. */
  readonly path: readonly string[];
  readonly choices: readonly unknown[] | Range;
  readonly node: SchemaNode;
}

interface Tunable {
  readonly plugin: Plugin;
  readonly spec: ModelSpec;
  /** The fusion period that it has; 0, or absent: none. */
  readonly everyEvents?: number;
}

type Settings = Readonly<Record<string, unknown>>;

export const DIMENSIONS_MAX = 32;
export const CHOICES_MAX = 64;
/** Draws for each candidate that is wanted: some are the same as another, or of settings that do not go together. */
const DRAWS_MAX = 10;
/** Digits of a number that is drawn: more make no difference, and are hard to read. */
const DIGITS = 3;

/**
 * The settings to search, each checked by its schema; `asked`: by their paths, as they come from outside; undefined:
 * those that the plugin recommends for `aim`. Throws INVALID_FIELD with every mistake, CAPABILITY_MISSING.
 */
export function requireSpace(tunable: Tunable, aim: Aim, asked?: Settings): Dimension[] {
  const { plugin, spec } = tunable;
  const space = asked ?? plugin.tuning?.(spec.config as never, aim) ?? {};
  if (!asked && Object.keys(space).length === 0) throw noSpace(spec.name, plugin, aim);
  const leaves = leavesOf(plugin);
  const violations: FieldViolation[] = [];
  const names = Object.keys(space);
  if (names.length === 0) violations.push({ field: 'space', description: 'is empty: name a setting, or leave it out' });
  if (names.length > DIMENSIONS_MAX)
    violations.push({
      field: 'space',
      description: `has ${names.length} settings, and ${DIMENSIONS_MAX} are allowed`,
    });
  const dimensions: Dimension[] = [];
  for (const name of names.slice(0, DIMENSIONS_MAX)) {
    const leaf = leaves.get(name);
    const choices = choicesOf(space[name]);
    const faults = leaf
      ? typeof choices === 'string'
        ? [choices]
        : faultsOf({ ...leaf, choices }, tunable)
      : [unknownSetting(name, plugin, [...leaves.keys()])];
    violations.push(
      ...faults.map((description) => ({ field: `space[${JSON.stringify(name.slice(0, 80))}]`, description })),
    );
    if (leaf && typeof choices !== 'string') dimensions.push({ ...leaf, choices });
  }
  if (violations.length === 0) return dimensions;
  const [{ field, description }] = violations;
  const more = violations.length > 1 ? ` (and ${violations.length - 1} more violations)` : '';
  throw new AccreteError('INVALID_FIELD', `${field} ${description}${more}`, { violations });
}

/** What can be searched, by its name: the plugin's settings by their paths, and what the server knows of every model. */
function leavesOf(plugin: Plugin): Map<string, Pick<Dimension, 'path' | 'node'>> {
  const { config, ...others } = z.toJSONSchema(tunedSchema(plugin), { io: 'input' }).properties ?? {};
  const own = listLeaves(config as SchemaNode).map(([name, node]) => ({ name, node, path: `config.${name}` }));
  const common = listLeaves({ properties: others }).map(([name, node]) => ({ name, node, path: name }));
  return new Map([...own, ...common].map(({ name, node, path }) => [name, { node, path: path.split('.') }]));
}

/**
 * Different settings, none of them the present ones, at most `count`: all that there are where they are no more, else
 * drawn, the same for the same seed. Throws INVALID_FIELD where there is none.
 */
export function drawCandidates(
  dimensions: readonly Dimension[],
  tunable: Tunable,
  count: number,
  seed: number,
): TunedSettings[] {
  const found: TunedSettings[] = [];
  const schema = tunedSchema(tunable.plugin);
  const live = presentOf(tunable);
  // A schema gives its settings in one order.
  const known = new Set([JSON.stringify(schema.parse(live))]);
  let fault = 'has no other settings than those that are live';
  for (const values of valuesOf(dimensions, count, seed)) {
    if (found.length === count) break;
    const parsed = schema.safeParse(withSettings(live, dimensions, values));
    if (!parsed.success) fault = `has no settings that go together: ${parsed.error.issues[0].message}`;
    else if (!known.has(JSON.stringify(parsed.data))) {
      known.add(JSON.stringify(parsed.data));
      found.push(parsed.data);
    }
  }
  if (found.length > 0) return found;
  throw invalidField('space', fault);
}

function presentOf({ spec: { config }, everyEvents = 0 }: Tunable): TunedSettings {
  return { config, fuse: { everyEvents } };
}

/** Values of the dimensions, in their order: every combination where these are few, else draws without end in sight. */
function* valuesOf(dimensions: readonly Dimension[], count: number, seed: number): Generator<unknown[]> {
  const sizes = dimensions.map(({ choices }) => (isRange(choices) ? Number.POSITIVE_INFINITY : choices.length));
  const combinations = sizes.reduce((product, size) => product * size, 1);
  // The live settings may be one of them.
  if (combinations <= count + 1) {
    for (let n = 0; n < combinations; n++) {
      let left = n;
      yield dimensions.map(({ choices }, d) => {
        const value = (choices as readonly unknown[])[left % sizes[d]];
        left = Math.floor(left / sizes[d]);
        return value;
      });
    }
    return;
  }
  const random = new Random();
  for (let n = 0; n < DRAWS_MAX * count; n++) {
    random.key(seed, n);
    yield dimensions.map((dimension) => draw(dimension, random));
  }
}

function draw({ choices, node }: Dimension, random: Random): unknown {
  if (!isRange(choices)) return choices[random.below(choices.length)];
  const { min, max, log } = choices;
  const share = random.next() / 2 ** 32;
  const value = log ? min * exp2((share * ln(max / min)) / Math.LN2) : min + share * (max - min);
  return Math.min(max, Math.max(min, rounded(value, choices, node)));
}

/** A number as its setting takes it, with few digits. */
function rounded(value: number, { min, max }: Range, node: SchemaNode): number {
  const { multipleOf, type } = numberNode(node) ?? {};
  const step = multipleOf ?? (type === 'integer' ? 1 : undefined);
  if (step !== undefined)
    return step * Math.min(Math.floor(max / step), Math.max(Math.ceil(min / step), Math.round(value / step)));
  return Number(value.toPrecision(DIGITS));
}

/** What a request says of a setting; a text: what is wrong with it. */
function choicesOf(said: unknown): Dimension['choices'] | string {
  const form = 'send a list of values, or an object with `min`, `max` and, if wanted, `log`';
  if (Array.isArray(said)) {
    if (said.length === 0) return `has no values: ${form}`;
    return said.length > CHOICES_MAX ? `has ${said.length} values, and ${CHOICES_MAX} are allowed` : said;
  }
  if (typeof said !== 'object' || said === null) return `is ${show(said)}: ${form}`;
  const { min, max, log = false, ...others } = said as Record<string, unknown>;
  const [other] = Object.keys(others);
  if (other !== undefined) return `has ${JSON.stringify(other.slice(0, 80))}: ${form}`;
  if (typeof min !== 'number' || typeof max !== 'number' || typeof log !== 'boolean') return `is no range: ${form}`;
  if (!(min < max) || !Number.isFinite(max - min)) return `goes from ${min} to ${max}: send a min below its max`;
  if (log && min <= 0) return `goes from ${min} by the logarithm: send a min above 0`;
  return { min, max, log };
}

/** What is wrong with the values of a setting, each as it would be beside the live ones. */
function faultsOf({ path, choices, node }: Dimension, tunable: Tunable): string[] {
  const { plugin, spec } = tunable;
  const allowed = `it takes ${describeAllowed(node)}`;
  if (isRange(choices) && !numberNode(node)) return [`is a range: ${allowed}, send a list of values`];
  const values = isRange(choices) ? [choices.min, choices.max] : choices;
  const dimensions = [{ path, choices, node }];
  return values.flatMap((value) => {
    const parsed = tunedSchema(plugin).safeParse(withSettings(presentOf(tunable), dimensions, [value]));
    // What is said of settings together is no fault of one: others may be searched, too.
    const isOwn = (issue: z.core.$ZodIssue) => issue.code !== 'custom' && path.every((key, n) => issue.path[n] === key);
    if (!parsed.success) return parsed.error.issues.some(isOwn) ? [`has ${show(value)}: ${allowed}`] : [];
    const before = inputsOf({ plugin, spec });
    const after = inputsOf({ plugin, spec: { ...spec, config: parsed.data.config } });
    if (isDeepStrictEqual(before, after)) return [];
    return [`has ${show(value)}, which changes the inputs of ${spec.name}: load another model with those`];
  });
}

function withSettings(live: TunedSettings, dimensions: readonly Dimension[], values: readonly unknown[]): Settings {
  const settings: Record<string, unknown> = structuredClone({ ...live });
  for (const [d, { path }] of dimensions.entries()) {
    let section = settings;
    for (const key of path.slice(0, -1)) {
      if (typeof section[key] !== 'object' || section[key] === null) section[key] = {};
      section = section[key] as Record<string, unknown>;
    }
    section[path.at(-1) as string] = values[d];
  }
  return settings;
}

function isRange(choices: Dimension['choices']): choices is Range {
  return !Array.isArray(choices);
}

/** The part of a schema that takes numbers of a range; undefined: it takes none. */
function numberNode(node: SchemaNode): SchemaNode | undefined {
  if (node.enum !== undefined || node.const !== undefined) return undefined;
  if (node.type === 'number' || node.type === 'integer') return node;
  return node.anyOf?.map((one) => numberNode(one as SchemaNode)).find((one) => one !== undefined);
}

function unknownSetting(name: string, plugin: Plugin, known: readonly string[]): string {
  const parts = known.filter((path) => path.startsWith(`${name}.`));
  if (parts.length > 0) return `is a section of settings: name each by its path: ${parts.join(', ')}`;
  return `is no setting of plugin ${plugin.name}: ${didYouMean(name.slice(0, 80), known)}it knows ${known.join(', ')}`;
}

function noSpace(model: string, plugin: Plugin, aim: Aim): AccreteError {
  const better = aim === 'rating' ? 'expect ratings' : 'rank';
  const message =
    `Plugin ${plugin.name} of model ${model} recommends no settings to search by which it would ${better} better: name ` +
    'them in `space`, or another metric';
  return new AccreteError('CAPABILITY_MISSING', message, { metadata: { model, capability: 'tuning' } });
}
