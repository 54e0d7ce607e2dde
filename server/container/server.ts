import { Worker } from 'node:worker_threads';
import type { Container } from 'inversify';
import type { Config } from '../config/schema.ts';
import type { RingPair } from '../exchange/messages.ts';
import { Jobs } from '../jobs/jobs.ts';
import type { JobKind, JobStart } from '../jobs/messages.ts';
import type { Arena } from '../memory/arena.ts';
import type { Reader } from '../memory/readers.ts';
import { Bell, Ring } from '../memory/ring.ts';
import type { World } from '../memory/world.ts';
import { CallTelemetry } from '../rpc/call-telemetry.ts';
import type { RateStream } from '../rpc/rate.ts';
import type { ServedService } from '../rpc/service.ts';
import { allServices } from '../rpc/services.ts';
import type { AnswerEvents } from '../serving/answer-events.ts';
import type { Catalogue } from '../serving/catalogue.ts';
import type { CohortViews } from '../serving/cohort-views.ts';
import type { Experiments } from '../serving/experiments.ts';
import type { Exposures } from '../serving/exposures.ts';
import { LearnerQueue } from '../serving/learner-queue.ts';
import { ModelDirectory } from '../serving/model-directory.ts';
import type { RatingPages } from '../serving/rating-pages.ts';
import type { Scenarios } from '../serving/scenarios.ts';
import { Gate } from '../serving/serving.ts';
import type { Deployment } from '../store/deployment.ts';
import { RETURN_PREDICTIONS_MAX } from '../store/rating-batch.ts';
import type { Logger } from '../telemetry/log.ts';
import { type MetricExport, Metrics } from '../telemetry/metrics.ts';
import type { DeviceHandle } from '../tensor/device-handle.ts';
import { COUNTERS, composeShared, REVISIONS, reserveArena, token } from './shared.ts';

export const METRICS = token<Metrics>('Metrics');
export const GATE = token<Gate>('Gate');
export const CALL_TELEMETRY = token<CallTelemetry>('CallTelemetry');
export const SERVED = token<Served>('Served');
export const JOBS = token<Jobs>('Jobs');
/** Checkpoints alone: they may end when the server stops. */
export const CHECKPOINT_JOBS = token<Jobs>('Jobs of checkpoints');
/** The check of the journal: it leaves those who ask for something their places, and lets old files go. */
export const CHECK_JOBS = token<Jobs>('Jobs that check');
export const QUEUE = token<LearnerQueue>('LearnerQueue');
/** Empty until the journal is replayed. */
export const DIRECTORY = token<ModelDirectory>('ModelDirectory');
/** What the journal decided: bound when the learner is ready. */
export const DEPLOYMENT = token<Deployment>('Deployment');
/** Where the rings lie, for the learner. */
export const RINGS = token<LearnerRings>('LearnerRings');
/** What computes whole matrices: bound when it is opened. */
export const DEVICE = token<DeviceHandle>('Device');
export const SCENARIOS = token<Scenarios>('Scenarios');
export const EXPERIMENTS = token<Experiments>('Experiments');
export const COHORT_VIEWS = token<CohortViews>('CohortViews');
export const EXPOSURES = token<Exposures>('Exposures');
export const ANSWER_EVENTS = token<AnswerEvents>('AnswerEvents');
export const RATING_PAGES = token<RatingPages>('RatingPages');
export const CATALOGUE = token<Catalogue>('Catalogue');
export const READER = token<Reader>('Reader');
export const WORLD = token<World>('World');
const BELL = token<Bell>('Bell of the serving thread');

/** Refits, and rankings of whole catalogues. */
const DEVICE_WORK: readonly JobKind[] = ['fuse', 'evaluate', 'search', 'shadow'];

/** What is served of one namespace, and the rating streams that are open. */
export interface Served {
  readonly services: readonly ServedService[];
  readonly streams: ReadonlySet<RateStream>;
}

/** The rings between the learner and the serving threads, and the bell that wakes the learner. */
export interface LearnerRings {
  readonly bell: number;
  readonly lanes: readonly RingPair[];
}

/** What answers the calls of one namespace, before its learner is ready. */
export function composeServer(config: Config, log: Logger, metricExport: MetricExport, namespace: string): Container {
  const { limits } = config;
  const arena = reserveArena(config);
  const container = composeShared(config, arena);
  container.bind(GATE).toDynamicValue(() => new Gate());
  const startJob = (job: Pick<JobStart, 'kind' | 'task'>) => {
    const { rating, evaluation, kinds, stores } = container.get(DEPLOYMENT);
    const handle = container.get(DEVICE);
    const port = DEVICE_WORK.includes(job.kind) ? handle.connect() : undefined;
    const workerData = {
      ...job,
      config,
      settings: { rating, evaluation, kinds, stores },
      memory: arena.memory,
      device: { traits: handle.traits, port, meter: handle.meter.buffer },
    } satisfies JobStart;
    const transferList = port ? [port] : [];
    return new Worker(new URL('../job-thread.ts', import.meta.url), { workerData, transferList, name: job.kind });
  };
  const onWarning = (job: JobKind, why: string) => log.warn({ job, why }, 'a job goes on without something');
  container.bind(JOBS).toDynamicValue(() => new Jobs(config.jobs.max, startJob, onWarning));
  container.bind(CHECKPOINT_JOBS).toDynamicValue(() => new Jobs(1, startJob));
  container.bind(CHECK_JOBS).toDynamicValue(() => new Jobs(1, startJob));
  container.bind(DIRECTORY).toDynamicValue(() => new ModelDirectory());
  container.bind(BELL).toDynamicValue(() => new Bell(arena));
  container.bind(RINGS).toDynamicValue((context) => makeRings(arena, config, context.get(BELL)));
  container.bind(QUEUE).toDynamicValue((context) => {
    const [{ asks, answers }] = context.get(RINGS).lanes;
    return new LearnerQueue(new Ring(arena, asks), new Ring(arena, answers), context.get(BELL));
  });
  container.bind(METRICS).toDynamicValue((context) => {
    const directory = context.get(DIRECTORY);
    const counters = context.get(COUNTERS);
    const revisions = context.get(REVISIONS);
    const device = () => (container.isBound(DEVICE) ? container.get(DEVICE) : undefined);
    const sources = { arena, counters, revisions, data: config.data, models: () => directory.models, device };
    return new Metrics(sources, metricExport, namespace);
  });
  container.bind(CALL_TELEMETRY).toDynamicValue((context) => {
    const onFailure = (error: Error) => log.error({ err: error.cause ?? error }, 'a call failed');
    const onCall = (call: object) => log.info(call, 'call');
    const telemetry = new CallTelemetry(context.get(METRICS).meter, onFailure, { share: config.log.calls, onCall });
    telemetry.errorDetail = config.errorDetail;
    return telemetry;
  });
  container.bind(SERVED).toDynamicValue((context) => {
    const streams = new Set<RateStream>();
    const telemetry = context.get(CALL_TELEMETRY);
    // Whoever keeps a namespace keeps no more than that: a path would run what lies on the disk in the process of all.
    const anyPlugin = namespace === '';
    // What is shown to another server is shown for the one who keeps this one.
    const peers = namespace === '' ? config.peers : {};
    const services = allServices(
      context.get(GATE),
      { ...limits, anyPlugin, peers },
      telemetry,
      streams,
      context.get(JOBS),
    );
    return { services, streams };
  });
  return container;
}

/** A predicted value on the wire, and the names and errors around them. */
const VALUE_BYTES = 8;
const ANSWER_SLACK_BYTES = 256 * 1024;

/** Rings hold the largest message twice, so that it always fits an empty one. */
function makeRings(arena: Arena, { limits, ring }: Config, servingBell: Bell): LearnerRings {
  const bell = new Bell(arena);
  const askBytes = Math.max(ring.mib * 2 ** 20, 2 * limits.messageBytes + ANSWER_SLACK_BYTES);
  const answerBytes = limits.ratingsPerBatch * RETURN_PREDICTIONS_MAX * VALUE_BYTES + ANSWER_SLACK_BYTES;
  const asks = Ring.create(arena, powerOfTwo(askBytes), bell);
  const answers = Ring.create(arena, powerOfTwo(2 * answerBytes), servingBell);
  return { bell: bell.address, lanes: [{ asks: asks.descriptor, answers: answers.descriptor }] };
}

function powerOfTwo(bytes: number): number {
  return 2 ** Math.ceil(Math.log2(bytes));
}
