import {
  AllocationMethod,
  type UpdateExperimentRequest,
  type Experiment as WireExperiment,
} from '../../proto/gen/accrete/v1/experiment.ts';
import { LearningScope } from '../../proto/gen/accrete/v1/model.ts';
import type { Duration } from '../../proto/gen/google/protobuf/duration.ts';
import type { Timestamp } from '../../proto/gen/google/protobuf/timestamp.ts';
import { LAYER_PREFIX } from '../allocation/point.ts';
import { CHANGEABLE } from '../experiments/making.ts';
import { METRIC_NAMES, RAIL_NAMES } from '../experiments/metrics.ts';
import { FILTER_BYTES_MAX, parseFilter } from '../serving/filter/parse.ts';
import type { Experiment, WantedExperiment } from '../store/experiment.ts';
import { experimentMessage } from './experiment-message.ts';
import { Fields } from './fields.ts';

/** An experiment as it is asked for, checked field by field. */

const ARMS = { min: 2, max: 16 } as const;
const GUARD_RAILS_MAX = 16;
const DESCRIPTION_BYTES_MAX = 1024;
const SALT_BYTES_MAX = 64;
const CONTEXT_KEY_BYTES_MAX = 64;
const DAY_MS = 24 * 3600 * 1000;
const WINDOW_MS = { usual: DAY_MS, max: 90 * DAY_MS } as const;
const FLOOR = 0.05;
/** A start that is further back is a mistake. */
const LATE_MS = 60_000;
/** The last instant of protobuf's timestamps. */
const TIME_MS_MAX = 253_402_300_799_999;

/** Field of the wire, with that of the store. */
const NAMES = {
  description: 'description',
  salt: 'salt',
  learningScope: 'learningScope',
  arms: 'arms',
  unit: 'unit',
  startTime: 'startMs',
  endTime: 'endMs',
  eligibleShare: 'eligibleShare',
  eligibleFilter: 'eligibleFilter',
  layer: 'layer',
  primaryMetric: 'primaryMetric',
  guardRails: 'guardRails',
  attributionWindow: 'attributionWindowMs',
  allocation: 'allocation',
  allocationFloor: 'allocationFloor',
} as const satisfies Partial<Record<keyof WireExperiment, keyof WantedExperiment>>;

/** Throws INVALID_FIELD, naming every bad field. */
export function wantedOf(asked: WireExperiment | undefined, nowMs = Date.now()): WantedExperiment {
  const fields = new Fields();
  if (!asked) fields.refuse('experiment', 'is missing');
  fields.check();
  const wanted = read(asked as WireExperiment, fields, nowMs);
  const { startMs = nowMs } = wanted;
  if (startMs < nowMs - LATE_MS) fields.refuse('experiment.start_time', 'has passed: leave it out to start now');
  fields.check();
  return wanted;
}

/** The experiment as it shall be, and what of it is asked for. Throws INVALID_FIELD. */
export function fieldsOf(
  { experiment, updateMask }: UpdateExperimentRequest,
  before: Experiment,
  nowMs = Date.now(),
): { readonly wanted: WantedExperiment; readonly fields: readonly (keyof WantedExperiment)[] } {
  const fields = new Fields();
  const asked = experiment as WireExperiment;
  const named = updateMask?.map(camel) ?? [];
  for (const path of named)
    if (!Object.hasOwn(NAMES, path))
      fields.refuse(
        'update_mask',
        `names ${JSON.stringify(path)}: name fields that can be changed, as ${snake(Object.keys(NAMES).join(', '))}`,
      );
  fields.check();
  const chosen = (named.length > 0 ? named : Object.keys(NAMES)) as (keyof typeof NAMES)[];
  // What is not asked for need not be there.
  const merged = named.length > 0 ? { ...experimentMessage(before), ...pick(asked, chosen) } : asked;
  const wanted = read({ ...merged, name: before.name }, fields, nowMs);
  fields.check();
  const hasBegun = before.startMs <= nowMs;
  const asFields = chosen.map((path) => NAMES[path]);
  const free = CHANGEABLE as readonly (keyof WantedExperiment)[];
  const isAsked = (field: keyof WantedExperiment) =>
    named.length > 0 || ((!hasBegun || free.includes(field)) && !(field === 'startMs' && wanted.startMs === undefined));
  return { wanted, fields: asFields.filter(isAsked) };
}

function read(asked: WireExperiment, fields: Fields, nowMs: number): WantedExperiment {
  const { name, description, layer, eligibleShare = 1, eligibleFilter, unit, guardRails } = asked;
  const salt = asked.salt === '' ? name : asked.salt;
  fields.name('experiment.name', name);
  fields.bytes('experiment.description', description, DESCRIPTION_BYTES_MAX);
  checkSalt(salt, fields);
  if (layer !== '') fields.name('experiment.layer', layer);
  if (!(eligibleShare > 0 && eligibleShare <= 1))
    fields.refuse('experiment.eligible_share', `is ${eligibleShare}: send a number above 0, and 1 at most`);
  checkFilter(eligibleFilter, fields);
  const startMs = timeOf('experiment.start_time', asked.startTime, fields);
  const endMs = timeOf('experiment.end_time', asked.endTime, fields);
  if (endMs !== undefined && endMs <= Math.max(startMs ?? nowMs, nowMs))
    fields.refuse('experiment.end_time', 'is not after start_time and now');
  const allocation = allocationOf(asked, fields);
  return {
    name,
    description,
    salt,
    learningScope: scopeOf(asked, fields),
    arms: armsOf(asked, fields),
    unit: unitOf(unit, fields),
    ...(startMs !== undefined && { startMs }),
    ...(endMs !== undefined && { endMs }),
    eligibleShare,
    eligibleFilter,
    layer,
    primaryMetric: metricOf('experiment.primary_metric', asked.primaryMetric || 'rmse', METRIC_NAMES, fields),
    guardRails: railsOf(guardRails, fields),
    attributionWindowMs: windowOf(asked.attributionWindow, fields),
    allocation,
    allocationFloor: floorOf(asked, fields),
  };
}

function armsOf({ arms, allocation }: WireExperiment, fields: Fields): WantedExperiment['arms'] {
  if (arms.length < ARMS.min || arms.length > ARMS.max)
    fields.refuse('experiment.arms', `has ${arms.length} entries: send ${ARMS.min} to ${ARMS.max}, the control first`);
  if (allocation === AllocationMethod.ALLOCATION_METHOD_INTERLEAVE && arms.length !== 2)
    fields.refuse('experiment.arms', `has ${arms.length} entries: interleaving takes two`);
  const names = new Set<string>();
  for (const [n, { name, model, weight }] of arms.slice(0, ARMS.max).entries()) {
    const path = `experiment.arms[${n}]`;
    fields.name(`${path}.name`, name);
    fields.name(`${path}.model`, model);
    if (names.has(name))
      fields.refuse(`${path}.name`, `is ${JSON.stringify(name)} again: arms have names of their own`);
    names.add(name);
    if (!(weight >= 0 && weight < Number.POSITIVE_INFINITY))
      fields.refuse(`${path}.weight`, `is ${weight}: send 0 or more`);
  }
  if (arms.length > 0 && arms.every(({ weight }) => weight === 0))
    fields.refuse('experiment.arms', 'have no weight: send one above 0');
  return arms.map(({ name, model, weight }) => ({ name, model, weight }));
}

function checkSalt(salt: string, fields: Fields): void {
  fields.bytes('experiment.salt', salt, SALT_BYTES_MAX);
  if (salt.startsWith(LAYER_PREFIX))
    fields.refuse('experiment.salt', `begins with "${LAYER_PREFIX}", as those of layers do`);
  if (salt.includes('\0')) fields.refuse('experiment.salt', 'has a zero byte, which is not allowed');
}

function checkFilter(filter: string, fields: Fields): void {
  fields.bytes('experiment.eligible_filter', filter, FILTER_BYTES_MAX);
  if (Buffer.byteLength(filter) <= FILTER_BYTES_MAX) parseFilter(filter, 'experiment.eligible_filter');
}

function unitOf(unit: string, fields: Fields): string {
  if (unit === '' || unit === 'user') return 'user';
  const key = unit.startsWith('context.') ? unit.slice('context.'.length) : '';
  if (key === '' || Buffer.byteLength(key) > CONTEXT_KEY_BYTES_MAX)
    fields.refuse('experiment.unit', `is ${JSON.stringify(unit.slice(0, 80))}: send "user", or "context.<key>"`);
  return unit;
}

function scopeOf({ learningScope, allocation }: WireExperiment, fields: Fields): WantedExperiment['learningScope'] {
  switch (learningScope) {
    case LearningScope.LEARNING_SCOPE_UNSPECIFIED:
    case LearningScope.LEARNING_SCOPE_SHARED:
      return 'shared';
    case LearningScope.LEARNING_SCOPE_ISOLATED:
      return 'isolated';
    case LearningScope.LEARNING_SCOPE_SHADOW:
      if (allocation > AllocationMethod.ALLOCATION_METHOD_HASH)
        fields.refuse('experiment.allocation', 'is of no use where the control alone answers');
      return 'shadow';
    default:
      fields.refuse('experiment.learning_scope', `is ${learningScope}, which is none`);
      return 'shared';
  }
}

function allocationOf({ allocation }: WireExperiment, fields: Fields): WantedExperiment['allocation'] {
  switch (allocation) {
    case AllocationMethod.ALLOCATION_METHOD_UNSPECIFIED:
    case AllocationMethod.ALLOCATION_METHOD_HASH:
      return 'hash';
    case AllocationMethod.ALLOCATION_METHOD_THOMPSON:
      return 'thompson';
    case AllocationMethod.ALLOCATION_METHOD_INTERLEAVE:
      return 'interleave';
    default:
      fields.refuse('experiment.allocation', `is ${allocation}, which is none`);
      return 'hash';
  }
}

function floorOf({ allocationFloor = FLOOR, arms }: WireExperiment, fields: Fields): number {
  const most = 1 / Math.max(1, arms.length);
  if (!(allocationFloor >= 0 && allocationFloor <= most))
    fields.refuse('experiment.allocation_floor', `is ${allocationFloor}: send 0 to ${most}, one divided by the arms`);
  return allocationFloor;
}

function railsOf(rails: WireExperiment['guardRails'], fields: Fields): WantedExperiment['guardRails'] {
  if (!fields.count('experiment.guard_rails', rails, GUARD_RAILS_MAX)) return [];
  return rails.map(({ metric, harmMax }, n) => {
    const path = `experiment.guard_rails[${n}]`;
    if (!(harmMax > 0 && harmMax < Number.POSITIVE_INFINITY))
      fields.refuse(`${path}.harm_max`, `is ${harmMax}: send a number above 0`);
    return { metric: metricOf(`${path}.metric`, metric, RAIL_NAMES, fields), harmMax };
  });
}

function metricOf(path: string, metric: string, names: readonly string[], fields: Fields): string {
  if (!names.includes(metric))
    fields.refuse(path, `is ${JSON.stringify(metric.slice(0, 80))}: send one of ${names.join(', ')}`);
  return metric;
}

function windowOf(window: Duration | undefined, fields: Fields): number {
  if (!window) return WINDOW_MS.usual;
  const ms = Number(window.seconds) * 1000 + Math.round(window.nanos / 1e6);
  if (!(ms >= 0 && ms <= WINDOW_MS.max))
    fields.refuse('experiment.attribution_window', `is ${ms / 1000} s: send 0 to ${WINDOW_MS.max / 1000} s`);
  return ms;
}

function timeOf(path: string, time: Timestamp | undefined, fields: Fields): number | undefined {
  if (!time) return undefined;
  const ms = Number(time.seconds) * 1000 + Math.floor(time.nanos / 1e6);
  if (!(ms >= 0 && ms <= TIME_MS_MAX)) fields.refuse(path, 'is no time from 1970 to 9999');
  return ms;
}

function pick(asked: WireExperiment, paths: readonly string[]): Partial<WireExperiment> {
  return Object.fromEntries(paths.map((path) => [path, asked[path as keyof WireExperiment]]));
}

function camel(path: string): string {
  return path.replaceAll(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase());
}

function snake(text: string): string {
  return text.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
