import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  AllocationMethod,
  type Arm,
  CreateExperimentRequest,
  CreateExperimentResponse,
  type Experiment,
  ExperimentServiceService,
  GetExperimentRequest,
  type GuardRail,
  UpdateExperimentRequest,
  UpdateExperimentResponse,
} from '../../../proto/gen/accrete/v1/experiment.ts';
import type { DeepPartial } from '../../../proto/gen/accrete/v1/fuse.ts';
import { LearningScope } from '../../../proto/gen/accrete/v1/model.ts';
import { formatArms } from '../experiment-table.ts';
import { UsageError } from '../failure.ts';
import { parseDuration, parseTime, toTimestamp } from '../import/time.ts';
import { factTable, formatBytes, formatCount } from '../output.ts';
import { parseNumberOf, withSession } from '../session.ts';

const SCOPES = {
  shared: LearningScope.LEARNING_SCOPE_SHARED,
  isolated: LearningScope.LEARNING_SCOPE_ISOLATED,
  shadow: LearningScope.LEARNING_SCOPE_SHADOW,
} as const;
const ALLOCATIONS = {
  hash: AllocationMethod.ALLOCATION_METHOD_HASH,
  thompson: AllocationMethod.ALLOCATION_METHOD_THOMPSON,
  interleave: AllocationMethod.ALLOCATION_METHOD_INTERLEAVE,
} as const;
const SHARE = { min: 0, max: 1 };

/** What `create` and `update` have in common. */
interface Options {
  readonly arm?: readonly ArmOption[];
  readonly description?: string;
  readonly end?: Experiment['endTime'];
  readonly share?: number;
  readonly metric?: string;
  readonly rail?: readonly GuardRail[];
  readonly floor?: number;
  readonly dryRun?: boolean;
}

interface CreateOptions extends Options {
  readonly scope?: keyof typeof SCOPES;
  readonly unit?: string;
  readonly salt?: string;
  readonly start?: Experiment['startTime'];
  readonly filter?: string;
  readonly layer?: string;
  readonly window?: Experiment['attributionWindow'];
  readonly allocation?: keyof typeof ALLOCATIONS;
}

interface UpdateOptions extends Options {
  readonly weight?: readonly WeightOption[];
}

type ArmOption = Pick<Arm, 'name' | 'model' | 'weight'>;
type WeightOption = Pick<Arm, 'name' | 'weight'>;

export function addCreate(experiments: Command): void {
  const create = experiments
    .command('create')
    .description('make an experiment; it starts now unless told otherwise, and the first arm is the control')
    .argument('<name>')
    .addOption(
      new Option('--scope <scope>', 'whose ratings the arms learn (default: shared)').choices(Object.keys(SCOPES)),
    )
    .option('--unit <unit>', 'what is assigned: user, or context.KEY (default: user)')
    .option('--salt <text>', 'seeds the assignment (default: the name)')
    .option('--start <time>', 'when it starts (default: now)', parseMoment)
    .option('--filter <filter>', 'only users whom this lets through')
    .option('--layer <name>', 'experiments of one layer share no unit')
    .option('--window <duration>', 'how long after an answer events count as its outcomes (default: 24h)', parseWindow)
    .addOption(
      new Option('--allocation <method>', 'how users come to arms (default: hash)').choices(Object.keys(ALLOCATIONS)),
    );
  addOptions(create).action((name: string, options: CreateOptions, command: Command) =>
    withSession(command, async ({ connection, output }) => {
      const request = CreateExperimentRequest.fromPartial({
        experiment: experimentOf(name, options),
        validateOnly: options.dryRun,
      });
      const answer = await connection.call(ExperimentServiceService.createExperiment, request);
      const { plan } = answer;
      output.answer(CreateExperimentResponse.toJSON(answer), () => {
        output.table(
          factTable([
            ['experiment', name],
            ['arms', formatArms(answer.experiment)],
            ['memory of isolated arms', plan && plan.bytes > 0n ? formatBytes(plan.bytes) : ''],
            ['units for a difference of 5%', plan && plan.units > 0n ? formatCount(plan.units) : ''],
            ['which take', plan?.duration ? `${(Number(plan.duration.seconds) / 86_400).toFixed(1)} days` : ''],
          ]),
        );
        if (options.dryRun) output.line('it can be made; nothing was');
      });
    }),
  );
}

export function addUpdate(experiments: Command): void {
  const update = experiments
    .command('update')
    .description('change an experiment; as few users as can be move to another arm')
    .argument('<name>')
    .option('--weight <arm=weight>', 'another weight of an arm; may be given again', parseWeight);
  addOptions(update).action((name: string, options: UpdateOptions, command: Command) =>
    withSession(command, async ({ connection, output }) => {
      const asked = experimentOf(name, options);
      if (options.weight || options.arm) {
        // The whole list is sent, so that of two who change it at once neither is half done.
        const request = GetExperimentRequest.fromPartial({ name });
        const { experiment } = await connection.call(ExperimentServiceService.getExperiment, request);
        asked.arms = armsOf(experiment?.arms ?? [], options);
      }
      const updateMask = Object.entries(MASK).flatMap(([field, path]) =>
        asked[field as keyof Experiment] === undefined ? [] : [path],
      );
      if (updateMask.length === 0) throw new UsageError('nothing is to be changed: say what');
      const request = UpdateExperimentRequest.fromPartial({
        experiment: asked,
        updateMask,
        validateOnly: options.dryRun,
      });
      const answer = await connection.call(ExperimentServiceService.updateExperiment, request);
      output.answer(UpdateExperimentResponse.toJSON(answer), () =>
        output.line(
          `${(100 * answer.movedShare).toFixed(2)}% of the units ${options.dryRun ? 'would get' : 'get'} another arm than before`,
        ),
      );
    }),
  );
}

/** Fields that may change, by their names in a mask. */
const MASK: Partial<Record<keyof Experiment, string>> = {
  arms: 'arms',
  description: 'description',
  endTime: 'end_time',
  eligibleShare: 'eligible_share',
  primaryMetric: 'primary_metric',
  guardRails: 'guard_rails',
  allocationFloor: 'allocation_floor',
};

function addOptions(command: Command): Command {
  return command
    .option('--arm <arm=model[:weight]>', 'an arm; may be given again', parseArm)
    .option('--description <text>', 'what it is to find out')
    .option('--end <time>', 'when it ends (default: when it is stopped)', parseMoment)
    .option('--share <share>', 'the share of units that take part (default: 1)', parseNumberOf(SHARE))
    .option('--metric <name>', 'what decides, such as rmse, ndcg@10, conversion or mean_value (default: rmse)')
    .option('--rail <metric=harm>', 'stop an arm that is worse by this share; may be given again', parseRail)
    .option('--floor <share>', 'thompson: the least share of an arm (default: 0.05)', parseNumberOf(SHARE))
    .option('--dry-run', 'check it, and change nothing');
}

function experimentOf(name: string, options: CreateOptions & UpdateOptions): DeepPartial<Experiment> {
  const { scope, allocation } = options;
  return {
    name,
    description: options.description,
    salt: options.salt,
    learningScope: scope && SCOPES[scope],
    arms: options.arm && [...options.arm],
    unit: options.unit,
    startTime: options.start,
    endTime: options.end,
    eligibleShare: options.share,
    eligibleFilter: options.filter,
    layer: options.layer,
    primaryMetric: options.metric,
    guardRails: options.rail && [...options.rail],
    attributionWindow: options.window,
    allocation: allocation && ALLOCATIONS[allocation],
    allocationFloor: options.floor,
  };
}

/** Those that there are with other weights, and new ones. */
function armsOf(before: readonly Arm[], { weight = [], arm = [] }: UpdateOptions): ArmOption[] {
  const unknown = weight.find(({ name }) => !before.some((each) => each.name === name));
  if (unknown)
    throw new UsageError(`there is no arm ${unknown.name}; there are: ${before.map(({ name }) => name).join(', ')}`);
  const weights = new Map(weight.map((each) => [each.name, each.weight]));
  return [
    ...before.map(({ name, model, weight: was }) => ({ name, model, weight: weights.get(name) ?? was })),
    ...arm.filter(({ name }) => !before.some((each) => each.name === name)),
  ];
}

function parseArm(text: string, before: readonly ArmOption[] = []): readonly ArmOption[] {
  const [, name, model, weight = '1'] = /^([^=]+)=([^:]+)(?::(.+))?$/.exec(text) ?? [];
  if (!name || !model || !Number.isFinite(Number(weight)))
    throw new InvalidArgumentError('It takes an arm and its model: control=mf, or candidate=stack:0.5 with a weight.');
  return [...before, { name, model, weight: Number(weight) }];
}

function parseWeight(text: string, before: readonly WeightOption[] = []): readonly WeightOption[] {
  const [name, weight] = parsePair(text, 'It takes an arm and its weight: candidate=3.');
  return [...before, { name, weight }];
}

function parseRail(text: string, before: readonly GuardRail[] = []): readonly GuardRail[] {
  const [metric, harmMax] = parsePair(text, 'It takes a metric and a share: latency_p99_ms=0.2.');
  return [...before, { metric, harmMax }];
}

/** A name and a number. */
function parsePair(text: string, wanted: string): [name: string, value: number] {
  const [, name, value] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (!name || !Number.isFinite(Number(value))) throw new InvalidArgumentError(wanted);
  return [name, Number(value)];
}

function parseMoment(text: string): Experiment['startTime'] {
  const time = parseTime(text);
  if (time) return toTimestamp(time);
  throw new InvalidArgumentError('It takes a time, such as 2026-03-01T12:00:00Z or seconds since 1970.');
}

/** `90s`, `24h`; 0: events count only if they name the answer. */
function parseWindow(text: string): Experiment['attributionWindow'] {
  const window = parseDuration(text === '0' ? '0s' : text);
  if (window) return window;
  throw new InvalidArgumentError('It takes a time such as 90s, 30m, 24h or 7d, or 0.');
}
