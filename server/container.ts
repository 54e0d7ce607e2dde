import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { Container, type ServiceIdentifier } from 'inversify';
import type { Config } from './config/schema.ts';
import type { LearnerNews, RingPair } from './exchange/messages.ts';
import { Intake, type Lane } from './learning/intake.ts';
import { Learner } from './learning/learner.ts';
import { Arena } from './memory/arena.ts';
import { Counters } from './memory/counters.ts';
import { type HostKernels, loadHostKernels } from './memory/kernels/host-kernels.ts';
import { Reader } from './memory/readers.ts';
import { Revisions } from './memory/revisions.ts';
import { Bell, Ring } from './memory/ring.ts';
import { Scale } from './memory/scale.ts';
import { World, WritableWorld } from './memory/world.ts';
import { Model, type ModelDescriptor, type ModelSpec, WritableModel } from './models/model.ts';
import { loadPlugin, type ResolvedModel } from './models/plugins.ts';
import { CallTelemetry } from './rpc/call-telemetry.ts';
import { GrpcServer } from './rpc/grpc-server.ts';
import type { RateStream } from './rpc/rate.ts';
import { allServices } from './rpc/services.ts';
import { ModelDirectory } from './serving/model-directory.ts';
import { RatingPages } from './serving/rating-pages.ts';
import { RatingQueue } from './serving/rating-queue.ts';
import { Recommender } from './serving/recommender.ts';
import { Gate, type Serving } from './serving/serving.ts';
import type { Journal } from './store/journal.ts';
import { LmdbJournal } from './store/lmdb-journal.ts';
import { RETURN_PREDICTIONS_MAX } from './store/rating-batch.ts';
import { RatingRules } from './store/rating-rules.ts';
import { Teacher } from './teaching/teacher.ts';
import type { Logger } from './telemetry/log.ts';
import { Metrics } from './telemetry/metrics.ts';

/**
 * How the parts fit together, in each of the two sorts of threads. The parts themselves take plain arguments; only this
 * file knows the container.
 */

const token = <T>(name: string): ServiceIdentifier<T> => Symbol(name);

export const CONFIG = token<Config>('Config');
export const ARENA = token<Arena>('Arena');
export const COUNTERS = token<Counters>('Counters');
export const REVISIONS = token<Revisions>('Revisions');
export const KERNELS = token<HostKernels>('HostKernels');
export const SCALE = token<Scale>('Scale');

/** What both sorts of threads have, over the one shared memory. */
function composeShared(config: Config, arena: Arena): Container {
  const container = new Container({ defaultScope: 'Singleton' });
  container.bind(CONFIG).toConstantValue(config);
  container.bind(ARENA).toConstantValue(arena);
  container.bind(COUNTERS).toResolvedValue((memory: Arena) => new Counters(memory), [ARENA]);
  container.bind(REVISIONS).toResolvedValue((memory: Arena) => new Revisions(memory), [ARENA]);
  container.bind(KERNELS).toResolvedValue((memory: Arena) => loadHostKernels(memory.memory), [ARENA]);
  container.bind(SCALE).toResolvedValue(({ rating }: Config) => new Scale(rating.min, rating.max), [CONFIG]);
  return container;
}

export const LOG = token<Logger>('Logger');
export const METRICS = token<Metrics>('Metrics');
export const GATE = token<Gate>('Gate');
export const GRPC_SERVER = token<GrpcServer>('GrpcServer');
export const QUEUE = token<RatingQueue>('RatingQueue');
/** Where the rings lie, for the learner. */
export const RINGS = token<LearnerRings>('LearnerRings');
const TELEMETRY = token<CallTelemetry>('CallTelemetry');
const STREAMS = token<Set<RateStream>>('open rating streams');
const BELL = token<Bell>('Bell of the serving thread');
const MODELS = token<Model[]>('Models');

/** The rings between the learner and the serving threads, and the bell that wakes the learner. */
export interface LearnerRings {
  readonly bell: number;
  readonly lanes: readonly RingPair[];
}

/** The thread that answers calls, before the learner is ready. `models` fills when it is. */
export function composeServer(config: Config, log: Logger): Container {
  const container = composeShared(config, Arena.create(config.memory.budgetMiB * 2 ** 20));
  container.bind(LOG).toConstantValue(log);
  container.bind(GATE).toResolvedValue(() => new Gate());
  container.bind(STREAMS).toConstantValue(new Set());
  container.bind(MODELS).toConstantValue([]);
  container.bind(BELL).toResolvedValue((arena: Arena) => new Bell(arena), [ARENA]);
  container.bind(RINGS).toResolvedValue(makeRings, [ARENA, CONFIG, BELL]);
  container
    .bind(QUEUE)
    .toResolvedValue(
      (arena: Arena, { lanes: [lane] }: LearnerRings, bell: Bell) =>
        new RatingQueue(new Ring(arena, lane.asks), new Ring(arena, lane.answers), bell),
      [ARENA, RINGS, BELL],
    );
  container
    .bind(METRICS)
    .toResolvedValue(
      (arena: Arena, counters: Counters, revisions: Revisions, models: Model[]) =>
        new Metrics({ arena, counters, revisions, models: () => models }),
      [ARENA, COUNTERS, REVISIONS, MODELS],
    );
  container
    .bind(TELEMETRY)
    .toResolvedValue(
      ({ meter }: Metrics) =>
        new CallTelemetry(meter, (error) => log.error({ err: error.cause ?? error }, 'a call failed')),
      [METRICS],
    );
  container.bind(GRPC_SERVER).toResolvedValue(
    ({ limits, connection, reflection }: Config, gate: Gate, telemetry: CallTelemetry, streams: Set<RateStream>) =>
      new GrpcServer(allServices(gate, limits, telemetry, streams), streams, {
        messageBytes: limits.messageBytes,
        connection,
        reflection,
      }),
    [CONFIG, GATE, TELEMETRY, STREAMS],
  );
  return container;
}

type Ready = Extract<LearnerNews, { type: 'ready' }>;
type Hashes = Serving['hashes'];

export const SERVING = token<Serving>('Serving');
const READY = token<Ready>('news that the learner is ready');
const HASHES = token<Hashes>('hashes of the state');
const WORLD = token<World>('World');
const READER = token<Reader>('Reader');
const DIRECTORY = token<ModelDirectory>('ModelDirectory');
const RECOMMENDER = token<Recommender>('Recommender');
const RATING_PAGES = token<RatingPages>('RatingPages');

/** What answers requests, over the memory that the learner has filled: `container.get(SERVING)`. */
export function composeServing(
  container: Container,
  resolved: readonly ResolvedModel[],
  ready: Ready,
  hashes: Hashes,
): void {
  container.bind(READY).toConstantValue(ready);
  container.bind(HASHES).toConstantValue(hashes);
  container.bind(WORLD).toResolvedValue((arena: Arena, { world }: Ready) => new World(arena, world), [ARENA, READY]);
  container.bind(READER).toResolvedValue((arena: Arena) => new Reader(arena, 0), [ARENA]);
  container.bind(DIRECTORY).toResolvedValue(
    (config: Config, arena: Arena, world: World, scale: Scale, models: Model[]) => {
      const attach = (descriptor: ModelDescriptor, n: number) =>
        new Model({ arena, world, scale }, resolved[n].plugin, descriptor);
      models.push(...ready.models.map(attach));
      return new ModelDirectory(models, config.defaultModel);
    },
    [CONFIG, ARENA, WORLD, SCALE, MODELS],
  );
  container.bind(RECOMMENDER).toResolvedValue(
    (
      arena: Arena,
      kernels: HostKernels,
      reader: Reader,
      revisions: Revisions,
      world: World,
      scale: Scale,
      directory: ModelDirectory,
      config: Config,
    ) =>
      new Recommender({
        arena,
        kernels,
        reader,
        revisions,
        world,
        scale,
        directory,
        countMax: config.limits.pageSize,
      }),
    [ARENA, KERNELS, READER, REVISIONS, WORLD, SCALE, DIRECTORY, CONFIG],
  );
  container
    .bind(RATING_PAGES)
    .toResolvedValue(
      (arena: Arena, reader: Reader, world: World) => new RatingPages(arena, reader, world),
      [ARENA, READER, WORLD],
    );
  container
    .bind(SERVING)
    .toResolvedValue(
      (
        queue: RatingQueue,
        recommender: Recommender,
        ratingPages: RatingPages,
        directory: ModelDirectory,
        revisions: Revisions,
        ask: Hashes,
      ) => ({ queue, recommender, ratingPages, directory, revisions, hashes: ask }),
      [QUEUE, RECOMMENDER, RATING_PAGES, DIRECTORY, REVISIONS, HASHES],
    );
}

/** What the learner thread starts with. */
export interface LearnerStart {
  readonly config: Config;
  readonly memory: WebAssembly.Memory;
  readonly rings: LearnerRings;
  readonly models: readonly ModelSpec[];
}

export const LEARNER = token<Learner>('Learner');
export const JOURNAL = token<Journal>('Journal');
export const WRITABLE_WORLD = token<WritableWorld>('WritableWorld');
export const TEACHER = token<Teacher>('Teacher');
const LANES = token<Lane[]>('Lanes');
const LEARNER_BELL = token<Bell>('Bell of the learner');
const INTAKE = token<Intake>('Intake');
const TELL = token<Tell>('news for the other threads');

type Tell = (news: LearnerNews) => void;

/** The thread that learns: `await container.getAsync(LEARNER)`. */
export function composeLearner({ config, memory, rings, models }: LearnerStart, tell: Tell): Container {
  const container = composeShared(config, new Arena(memory));
  container.bind(TELL).toConstantValue(tell);
  container.bind(LEARNER_BELL).toResolvedValue((arena: Arena) => new Bell(arena, rings.bell), [ARENA]);
  container
    .bind(LANES)
    .toResolvedValue(
      (arena: Arena) =>
        rings.lanes.map(({ asks, answers }) => ({ asks: new Ring(arena, asks), answers: new Ring(arena, answers) })),
      [ARENA],
    );
  container
    .bind(JOURNAL)
    .toResolvedValue(() =>
      LmdbJournal.open({ directory: join(config.data, 'journal'), linkBytes: config.journal.linkMiB * 2 ** 20 }),
    );
  container
    .bind(WRITABLE_WORLD)
    .toResolvedValue((arena: Arena) => WritableWorld.create(arena, randomInt(2 ** 32)), [ARENA]);
  container.bind(TEACHER).toResolvedValue(
    async (arena: Arena, world: WritableWorld, scale: Scale, kernels: HostKernels) => {
      const host = { arena, world, scale };
      const create = async (spec: ModelSpec) =>
        WritableModel.create(host, await loadPlugin(spec.plugin), spec, config.evaluation.window);
      const onQuarantine = (model: WritableModel, why: unknown) =>
        tell({ type: 'quarantined', model: model.name, why: String(why) });
      return new Teacher(host, kernels, await Promise.all(models.map(create)), {
        rankEvery: config.evaluation.rankEvery,
        onQuarantine,
      });
    },
    [ARENA, WRITABLE_WORLD, SCALE, KERNELS],
  );
  container.bind(INTAKE).toResolvedValue(
    (lanes: Lane[], world: WritableWorld, { models: taught }: Teacher, arena: Arena, counters: Counters) => {
      const { rating, limits } = config;
      const ratingsMax = limits.ratingsPerBatch;
      const rules = new RatingRules({ min: rating.min, max: rating.max, ratingsMax, kinds: [] });
      const onFault = (error: unknown) => tell({ type: 'fault', stack: String((error as Error).stack) });
      return new Intake({ lanes, rules, ratingsMax, world, models: taught, arena, counters, onFault });
    },
    [LANES, WRITABLE_WORLD, TEACHER, ARENA, COUNTERS],
  );
  container.bind(LEARNER).toResolvedValue(
    (
      journal: Journal,
      world: WritableWorld,
      teacher: Teacher,
      intake: Intake,
      bell: Bell,
      revisions: Revisions,
      kernels: HostKernels,
      counters: Counters,
    ) =>
      new Learner({
        journal,
        world,
        teacher,
        intake,
        bell,
        revisions,
        kernels,
        counters,
        scale: config.rating,
        tell,
      }),
    [JOURNAL, WRITABLE_WORLD, TEACHER, INTAKE, LEARNER_BELL, REVISIONS, KERNELS, COUNTERS],
  );
  return container;
}

/** A predicted value on the wire, and the names and errors around them. */
const VALUE_BYTES = 8;
const ANSWER_SLACK_BYTES = 256 * 1024;

/** Rings hold the largest message twice, so that it always fits an empty one. */
function makeRings(arena: Arena, { limits, ring }: Config, servingBell: Bell): LearnerRings {
  const bell = new Bell(arena);
  const answerBytes = limits.ratingsPerBatch * RETURN_PREDICTIONS_MAX * VALUE_BYTES + ANSWER_SLACK_BYTES;
  const asks = Ring.create(
    arena,
    powerOfTwo(Math.max(ring.mib * 2 ** 20, 2 * limits.messageBytes + ANSWER_SLACK_BYTES)),
    bell,
  );
  const answers = Ring.create(arena, powerOfTwo(2 * answerBytes), servingBell);
  return { bell: bell.address, lanes: [{ asks: asks.descriptor, answers: answers.descriptor }] };
}

function powerOfTwo(bytes: number): number {
  return 2 ** Math.ceil(Math.log2(bytes));
}
