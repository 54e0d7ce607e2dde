import { isDeepStrictEqual } from 'node:util';
import { POINTS } from '../allocation/point.ts';
import { complement, countMoved, divide, recut, type Slices, sizeOf } from '../allocation/slices.ts';
import { AccreteError, invalidField } from '../errors.ts';
import {
  type Arm,
  CUTS_MAX,
  type Cut,
  type Ended,
  type Experiment,
  type WantedExperiment,
} from '../store/experiment.ts';

/** Makes experiments and changes them: pure functions of what there is, what is asked, and the time. */

/** Experiments that have not ended, and all that are kept. */
export const OPEN_MAX = 64;
export const KEPT_MAX = 1000;
/** Recommendation ids have 16 bits for the number of an experiment. */
const NUMBER_MAX = 0xffff;

/** What may change once it has begun. */
export const CHANGEABLE = [
  'description',
  'arms',
  'endMs',
  'eligibleShare',
  'primaryMetric',
  'guardRails',
  'allocationFloor',
] as const satisfies readonly (keyof WantedExperiment)[];

type Known = ReadonlyMap<string, Experiment>;

/**
 * The experiment that is asked for; the one that is there already, if it is the same. Throws EXPERIMENT_EXISTS,
 * EXPERIMENTS_FULL, LAYER_FULL.
 */
export function makeExperiment(wanted: WantedExperiment, known: Known, nowMs: number): Experiment {
  const there = known.get(wanted.name);
  if (there && isSame(wanted, there)) return there;
  if (there) throw exists(there);
  if ([...known.values()].filter(({ ended }) => !ended).length >= OPEN_MAX) throw tooMany();
  const { arms, endMs, startMs = nowMs, ...rest } = wanted;
  const sizes = divide(arms.map(({ weight }) => weight));
  const cut = recut(
    arms.map(() => []),
    sizes,
    complement([]),
  );
  return {
    ...rest,
    number: nextNumber(known),
    createdMs: nowMs,
    startMs,
    ...(endMs !== undefined && { endMs }),
    arms: arms.map(({ name, model, weight }, i) => based({ name, model, weight, slices: cut[i] })),
    layerSlices: sliceOfLayer(rest, [], known),
    cuts: [{ fromMs: startMs, shares: sharesOf(sizes) }],
  };
}

/** The oldest that has ended, where there is no place for another one; undefined: there is. Throws EXPERIMENTS_FULL. */
export function findSuperfluous(known: Known): Experiment | undefined {
  if (known.size < KEPT_MAX) return undefined;
  const ended = [...known.values()].filter((each) => each.ended);
  const [oldest] = ended.sort((a, b) => (a.ended as Ended).atMs - (b.ended as Ended).atMs);
  if (!oldest) throw tooMany();
  return oldest;
}

/**
 * The experiment with what is asked for in these fields. Throws EXPERIMENT_ENDED, EXPERIMENT_FIXED, LAYER_FULL, INVALID_FIELD.
 */
export function changeExperiment(
  before: Experiment,
  wanted: WantedExperiment,
  fields: readonly (keyof WantedExperiment)[],
  known: Known,
  nowMs: number,
): Experiment {
  requireOpen(before);
  const hasBegun = before.startMs <= nowMs;
  const changed = fields.filter((field) => !isDeepStrictEqual(askedOf(wanted, field), askedOf(before, field)));
  const fixed = hasBegun ? changed.filter((field) => !(CHANGEABLE as readonly string[]).includes(field)) : [];
  if (fixed.length > 0) throw fixedField(before.name, fixed[0]);
  const values = Object.fromEntries(changed.map((field) => [field, wanted[field]])) as Partial<WantedExperiment>;
  const { arms = before.arms, startMs = before.startMs, endMs, ...rest } = values;
  const { endMs: endBefore, ...others } = before;
  const end = changed.includes('endMs') ? endMs : endBefore;
  const merged: Experiment = {
    ...others,
    ...rest,
    startMs,
    ...(end !== undefined && { endMs: end }),
    arms: before.arms,
  };
  const [first] = before.cuts;
  const cuts = hasBegun ? before.cuts : [{ ...first, fromMs: startMs }];
  const moved = { ...merged, cuts, layerSlices: sliceOfLayer(merged, before.layerSlices, known) };
  return changed.includes('arms') ? withArms(moved, arms, nowMs, hasBegun) : moved;
}

/** The same with these shares of its arms, which are weights of those that were not stopped. */
export function reweigh(before: Experiment, weights: readonly number[], nowMs: number): Experiment {
  return withSizes(before, before.arms, divide(weights), nowMs);
}

/** Without an arm: its units are the control's. Without its last arm besides the control it ends. */
export function stopArm(before: Experiment, name: string, reason: string, nowMs: number): Experiment {
  const at = before.arms.findIndex((arm) => arm.name === name);
  const arms = before.arms.map((arm, i) => (i === at ? { ...arm, stopReason: reason } : arm));
  const sizes = before.arms.map(({ slices }) => sizeOf(slices));
  sizes[0] += sizes[at];
  sizes[at] = 0;
  const stopped = withSizes(before, arms, sizes, nowMs);
  if (arms.slice(1).some(({ stopReason }) => stopReason === undefined)) return stopped;
  return end(stopped, { how: 'stopped', atMs: nowMs, reason: `no arm is left besides the control: ${name} ${reason}` });
}

export function end(before: Experiment, ended: Ended): Experiment {
  return { ...before, ended };
}

/** The share of units that another arm answers, or another experiment, or none, than before. */
export function movedShare(before: Experiment, after: Experiment): number {
  const lists = ({ arms }: Experiment) => arms.map(({ slices }) => slices);
  const stay = sizeOf(before.layerSlices) - countMoved([before.layerSlices], [after.layerSlices]);
  const come = sizeOf(after.layerSlices) - stay;
  const go = sizeOf(before.layerSlices) - stay;
  return (come + go + (stay * countMoved(lists(before), lists(after))) / POINTS) / POINTS;
}

/** Throws EXPERIMENT_ENDED. */
export function requireOpen({ name, ended }: Experiment): void {
  if (!ended) return;
  const message = `Experiment ${name} has ended (${ended.reason}): make another one`;
  throw new AccreteError('EXPERIMENT_ENDED', message, { metadata: { experiment: name } });
}

/** One that was not stopped. Throws INVALID_FIELD. */
export function requireArm({ name, arms }: Experiment, wanted: string): Arm {
  const arm = arms.find((each) => each.name === wanted);
  const names = arms.filter(({ stopReason }) => stopReason === undefined).map((each) => each.name);
  if (arm && arm.stopReason === undefined) return arm;
  const how = arm ? `was stopped (${arm.stopReason})` : `is no arm of ${name}`;
  throw invalidField('arm', `${JSON.stringify(wanted)} ${how}: name one of ${names.join(', ')}`);
}

export function experimentNotFound(name: string, known: Iterable<string>): AccreteError {
  const names = [...known].slice(-16).join(', ') || 'none';
  const message = `There is no experiment ${JSON.stringify(name)}; there are: ${names}`;
  return new AccreteError('EXPERIMENT_NOT_FOUND', message, { metadata: { experiment: name } });
}

/** Arms stay, in their order and with their models; others may follow. Throws EXPERIMENT_FIXED, INVALID_FIELD. */
function withArms(before: Experiment, wanted: WantedExperiment['arms'], nowMs: number, hasBegun: boolean): Experiment {
  if (!hasBegun) {
    const sizes = divide(wanted.map(({ weight }) => weight));
    const cut = recut(
      wanted.map((_, i) => before.arms[i]?.slices ?? []),
      sizes,
      complement(wanted.map((_, i) => before.arms[i]?.slices ?? [])),
    );
    const arms = wanted.map(({ name, model, weight }, i) => based({ name, model, weight, slices: cut[i] }));
    return { ...before, arms, cuts: [{ fromMs: before.startMs, shares: sharesOf(sizes) }] };
  }
  for (const [i, { name, model }] of before.arms.entries()) {
    if (wanted[i]?.name !== name) throw fixedField(before.name, `arms[${i}].name (${name})`);
    if (wanted[i].model !== model) throw fixedField(before.name, `arms[${i}].model (${model})`);
  }
  const arms = wanted.map(({ name, model, weight }, i): Arm => {
    const there = before.arms[i];
    return there ? { ...there, weight } : { name, model, weight, slices: [] };
  });
  const weights = arms.map(({ weight, stopReason }) => (stopReason === undefined ? weight : 0));
  if (weights.every((weight) => weight === 0))
    throw invalidField('experiment.arms', 'have no weight but of arms that were stopped');
  return withSizes(before, arms, divide(weights), nowMs);
}

function withSizes(before: Experiment, arms: readonly Arm[], sizes: readonly number[], nowMs: number): Experiment {
  const slices = recut(
    arms.map((arm) => arm.slices),
    sizes,
  );
  const cut: Cut = { fromMs: nowMs, shares: sharesOf(sizes) };
  return {
    ...before,
    arms: arms.map((arm, i) => based({ ...arm, slices: slices[i] })),
    cuts: [...before.cuts, cut].slice(-CUTS_MAX),
  };
}

/** With the share that it begins with. */
function based(arm: Arm): Arm {
  const size = sizeOf(arm.slices);
  return arm.baseShare !== undefined || size === 0 ? arm : { ...arm, baseShare: size / POINTS };
}

/** What the experiment has of its layer, moved by as little as can be. Throws LAYER_FULL. */
function sliceOfLayer(
  { name, layer, eligibleShare }: Pick<Experiment, 'name' | 'layer' | 'eligibleShare'>,
  own: Slices,
  known: Known,
): Slices {
  const others = [...known.values()].filter((each) => each.layer === layer && !each.ended && each.name !== name);
  const taken = others.map(({ layerSlices }) => layerSlices);
  const size = Math.max(1, Math.floor(eligibleShare * POINTS));
  const free = complement([...taken, own]);
  if (size <= sizeOf(own) + sizeOf(free)) return recut([own], [size], free)[0];
  const left = (sizeOf(own) + sizeOf(free)) / POINTS;
  const whose = others.map((each) => each.name).join(', ');
  const message = `${layer === '' ? 'The default layer' : `Layer ${layer}`} has ${left.toFixed(4)} of its units left besides ${whose}, and ${name} asks for ${eligibleShare}: lower eligible_share, end one of those, or choose another layer`;
  throw new AccreteError('LAYER_FULL', message, { metadata: { layer, left: String(left) } });
}

function nextNumber(known: Known): number {
  const taken = new Set([...known.values()].map(({ number }) => number));
  const last = [...known.values()].reduce(
    (most, { number, createdMs }) => (createdMs >= most.at ? { at: createdMs, number } : most),
    {
      at: 0,
      number: 0,
    },
  );
  let number = last.number;
  do number = (number % NUMBER_MAX) + 1;
  while (taken.has(number));
  return number;
}

function sharesOf(sizes: readonly number[]): number[] {
  return sizes.map((size) => size / POINTS);
}

function isSame(wanted: WantedExperiment, there: Experiment): boolean {
  if (there.ended || wanted.endMs !== there.endMs) return false;
  const fields = Object.keys(wanted) as (keyof WantedExperiment)[];
  return fields.every((field) => {
    // "Now" was another time then.
    if (field === 'startMs' && wanted.startMs === undefined) return true;
    return isDeepStrictEqual(askedOf(wanted, field), askedOf(there, field));
  });
}

/** A field as it was asked for. */
function askedOf(of: WantedExperiment, field: keyof WantedExperiment): unknown {
  return field === 'arms' ? of.arms.map(({ name, model, weight }) => ({ name, model, weight })) : of[field];
}

function exists({ name, ended }: Experiment): AccreteError {
  const message = ended
    ? `There was an experiment ${name}, which has ended and is kept for its report: choose another name`
    : `There is an experiment ${name} with other contents: choose another name, or change that one`;
  return new AccreteError('EXPERIMENT_EXISTS', message, { metadata: { experiment: name } });
}

function tooMany(): AccreteError {
  const message = `${OPEN_MAX} experiments have not ended, as many as a server runs: stop one first`;
  return new AccreteError('EXPERIMENTS_FULL', message, { metadata: { max: String(OPEN_MAX) } });
}

function fixedField(name: string, field: string): AccreteError {
  const message = `Experiment ${name} has begun, and ${field} is fixed since then: stop it, and make another one`;
  return new AccreteError('EXPERIMENT_FIXED', message, { metadata: { experiment: name, field } });
}
