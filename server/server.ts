import { setTimeout as sleep } from 'node:timers/promises';
import { parseListen } from './config/listen.ts';
import { type LoadedConfig, parseConfig } from './config/load.ts';
import type { ConfigInput } from './config/schema.ts';
import { CHECKPOINTS, FORGETTING, MODEL_CHANGES } from './container/changing.ts';
import { bindJournalCheck, JOURNAL_CHECK } from './container/checking.ts';
import { EXPERIMENT_KEEPER } from './container/experimenting.ts';
import { bindFusionPeriods, FUSION_PERIODS } from './container/fusion-periods.ts';
import {
  CHECK_JOBS,
  CHECKPOINT_JOBS,
  composeServer,
  DEVICE,
  EXPERIMENTS,
  GATE,
  GRPC_SERVER,
  JOBS,
  METRICS,
  QUEUE,
  RINGS,
  SCENARIOS,
} from './container/server.ts';
import { composeServing, SERVING } from './container/serving.ts';
import { ARENA, findBound } from './container/shared.ts';
import { AccreteError } from './errors.ts';
import type { LearnerNews } from './exchange/messages.ts';
import { LearnerHandle } from './learner-handle.ts';
import { requireInputs } from './models/input-rules.ts';
import { loadPlugin, resolveModels } from './models/plugins.ts';
import { requirePeriods } from './rpc/fusion-period.ts';
import { interrupted } from './serving/forgetting.ts';
import { requireFormat } from './store/format.ts';
import { StoreLock } from './store/lock.ts';
import { preloadVersions } from './teaching/preload.ts';
import { Endpoint } from './telemetry/endpoint.ts';
import { createLog, type Logger } from './telemetry/log.ts';
import type { MetricExport } from './telemetry/metrics.ts';
import { DeviceHandle } from './tensor/device-handle.ts';

/** The server as another program holds it: made, started, stopped. */

export interface Addresses {
  /** Where gRPC listens: `host:port`, or `unix:/path`. */
  readonly grpc: string;
  /** Where metrics and probes listen; undefined when they are off. */
  readonly metrics: string | undefined;
}

/** What the learner has at least to close the journal, also when the time for the drain is used up. */
const LEARNER_STOP_MS = 1000;

/**
 * Makes a server for a process that embeds it. What is left out of `config` has its default; neither files nor the
 * environment are read. Throws CONFIG_INVALID.
 */
export function createServer(config: ConfigInput, log?: Logger): AccreteServer {
  const loaded = parseConfig(config);
  return new AccreteServer(loaded, log ?? createLog(loaded.config.log.level));
}

type Ready = Extract<LearnerNews, { type: 'ready' }>;

export class AccreteServer {
  /** Resolves when the journal is replayed and calls are answered; rejects when that failed. */
  readonly ready: Promise<void>;
  /** Resolves, with why, when the server can no longer work. */
  readonly failed: Promise<AccreteError>;
  readonly #loaded: LoadedConfig;
  readonly #log: Logger;
  readonly #container: ReturnType<typeof composeServer>;
  readonly #signals = { ready: () => {}, failed: (_error: AccreteError) => {} };
  #lock: StoreLock | undefined;
  #endpoint: Endpoint | undefined;
  #learner: LearnerHandle | undefined;
  #readiness = { ready: false, detail: 'starting' };
  #writable = true;
  #damage: AccreteError | undefined;
  #starting: Promise<Addresses> | undefined;
  #stopping: Promise<void> | undefined;

  /** Metrics go to `metricExport` too. */
  constructor(loaded: LoadedConfig, log: Logger, metricExport: MetricExport = { readers: [] }) {
    this.#loaded = loaded;
    this.#log = log;
    this.#container = composeServer(loaded.config, log, metricExport);
    this.failed = new Promise((resolve) => (this.#signals.failed = resolve));
    this.ready = new Promise((resolve, reject) => {
      this.#signals.ready = resolve;
      this.failed.then(reject);
    });
    this.ready.catch(() => {});
  }

  /**
   * Locks the store, listens, and starts the learner, which replays the journal; calls wait until that is done.
   * Throws STORE_IN_USE, STORE_TOO_NEW, STORE_DAMAGED, CONFIG_INVALID, PLUGIN_INVALID, DEVICE_MISSING.
   */
  start(): Promise<Addresses> {
    this.#starting ??= this.#start();
    return this.#starting;
  }

  async #start(): Promise<Addresses> {
    const { data, listen, models } = this.#loaded.config;
    try {
      const resolved = await resolveModels(models);
      requireInputs(resolved);
      requirePeriods(models, resolved);
      await this.#openDevice();
      this.#lock = await StoreLock.acquire(data);
      await requireFormat(data);
      const metrics = await this.#listenForMetrics();
      const grpc = await this.#container.get(GRPC_SERVER).listen(listen);
      this.#startLearner();
      return { grpc, metrics };
    } catch (error) {
      await this.#endpoint?.close();
      await this.#closeDevice();
      this.#lock?.release();
      throw error;
    }
  }

  /** Drains: no new calls, what runs is finished, within `drain.timeoutMs`; then the journal is closed. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    const { timeoutMs } = this.#loaded.config.drain;
    const deadlineMs = performance.now() + timeoutMs;
    await this.#starting?.catch(() => {});
    this.#readiness = { ready: false, detail: 'draining' };
    const draining = new AccreteError('DRAINING', 'The server is stopping: ask the next one');
    this.#container.get(GATE).fail(draining);
    findBound(this.#container, FUSION_PERIODS)?.stop(draining);
    findBound(this.#container, FORGETTING)?.stop(interrupted());
    findBound(this.#container, JOURNAL_CHECK)?.stop();
    await this.#container.get(CHECK_JOBS).close();
    await this.#container.get(JOBS).close();
    const saved = findBound(this.#container, CHECKPOINTS)?.stop();
    await this.#container.get(GRPC_SERVER).drain(timeoutMs);
    await this.#closeExperiments();
    // What is written by then the learner need not write again.
    await Promise.race([saved, sleep(deadlineMs - performance.now(), undefined, { ref: false })]);
    await this.#container.get(CHECKPOINT_JOBS).close();
    await saved;
    await this.#learner?.stop(Math.max(LEARNER_STOP_MS, deadlineMs - performance.now()));
    this.#container.get(QUEUE).close();
    await this.#endpoint?.close();
    await this.#closeDevice();
    this.#lock?.release();
  }

  /** What they logged goes to the learner, as long as that is there. */
  async #closeExperiments(): Promise<void> {
    findBound(this.#container, EXPERIMENT_KEEPER)?.stop();
    await findBound(this.#container, EXPERIMENT_KEEPER)?.close();
  }

  async #openDevice(): Promise<void> {
    const { device: setting, memory } = this.#loaded.config;
    const onFailure = (why: string) =>
      this.#log.error({ why }, 'the device failed; its work is done on cpu until the server is started again');
    const handle = await DeviceHandle.open({ setting, budgetBytes: memory.deviceMiB * 2 ** 20 }, onFailure);
    this.#container.bind(DEVICE).toConstantValue(handle);
    for (const { name, why } of handle.trials)
      if (why) this.#log.warn({ device: name, why }, 'a device cannot be used');
    const { crossover } = handle.traits;
    const from = Number.isFinite(crossover) ? crossover : 'never';
    if (handle.chosen)
      this.#log.info({ device: handle.chosen.name, adapter: handle.chosen.adapter, crossover: from }, 'device');
  }

  async #closeDevice(): Promise<void> {
    await findBound(this.#container, DEVICE)?.stop();
  }

  async #listenForMetrics(): Promise<string | undefined> {
    const address = parseListen(this.#loaded.config.metrics.listen);
    if (address?.kind !== 'tcp') return undefined;
    const metrics = this.#container.get(METRICS);
    this.#endpoint = new Endpoint({
      metrics: (request, response) => metrics.serve(request, response),
      readiness: () => this.#readiness,
    });
    return this.#endpoint.listen(address);
  }

  #startLearner(): void {
    const { config, sources } = this.#loaded;
    const { memory } = this.#container.get(ARENA);
    const rings = this.#container.get(RINGS);
    const explicit = [...sources].filter(([, source]) => source !== 'default').map(([path]) => path);
    void this.#container.get(QUEUE).listen();
    const start = { config, memory, rings, explicit };
    const learner: LearnerHandle = new LearnerHandle(start, (news) => this.#hear(news, learner));
    this.#learner = learner;
  }

  #hear(news: LearnerNews, learner: LearnerHandle): void {
    switch (news.type) {
      case 'replaying':
        this.#readiness = { ready: false, detail: `replaying the journal: ${news.revision} of ${news.lastRevision}` };
        this.#log.info({ revision: news.revision, lastRevision: news.lastRevision }, 'replaying the journal');
        break;
      case 'phase':
        this.#log.debug({ phase: news.phase }, 'phase');
        break;
      case 'ready':
        this.#open(news, learner).catch((error) => this.#fail(AccreteError.wrap(error), String(error)));
        break;
      case 'decided':
        this.#container.get(MODEL_CHANGES).settle(news.deployment);
        this.#container.get(SCENARIOS).settle(news.deployment.scenarios);
        void this.#settleExperiments(news);
        break;
      case 'writable':
        this.#writable = news.writable;
        this.#setHealth();
        if (news.writable) this.#log.info('ratings are durable again');
        else this.#log.error({ why: news.why }, 'ratings cannot be made durable; trying again every second');
        break;
      case 'drifted':
        // What a start learns again was told of before.
        if (this.#readiness.ready) this.#log.warn({ model: news.model, ...news.drift }, 'a model found drift');
        break;
      case 'quarantined':
        this.#log.error({ model: news.model, why: news.why }, 'a model failed and stopped learning; the others go on');
        break;
      case 'dropped':
        this.#log.info({ files: news.links, firstRevision: news.firstRevision }, 'old files of the journal are gone');
        break;
      case 'damaged':
        this.#log.error({ why: news.why }, 'a file of the state cannot be used; the start goes on without it');
        break;
      case 'fault':
        this.#log.error({ stack: news.stack }, 'a rating request failed');
        break;
      case 'failed':
        this.#fail(AccreteError.from(news.error), news.stack);
        break;
    }
  }

  async #settleExperiments({ deployment, cohorts }: Pick<Ready, 'deployment' | 'cohorts'>): Promise<void> {
    try {
      await this.#container.get(EXPERIMENTS).follow(deployment.experiments ?? new Map(), cohorts);
    } catch (error) {
      this.#fail(AccreteError.wrap(error), String(error));
    }
  }

  async #open(news: Ready, learner: LearnerHandle): Promise<void> {
    const { models, failed } = news;
    const made = await Promise.all(
      models.map(
        async (descriptor) => [{ plugin: await loadPlugin(descriptor.plugin), spec: descriptor }, descriptor] as const,
      ),
    );
    const asks = {
      hashes: (model: string, cohort?: string) => learner.hashes(model, cohort),
      capture: (whole: boolean) => learner.capture(whole),
      end: (isSaved: boolean) => learner.endCapture(isSaved),
      retain: (covered: number) => learner.retain(covered),
    };
    await preloadVersions(news.deployment.models);
    // What begins from here on would not be stopped any more.
    if (this.#stopping) return;
    composeServing(this.#container, news, asks, this.#log);
    bindFusionPeriods(this.#container, this.#log);
    bindJournalCheck(this.#container, (damage) => this.#halt(damage, learner), this.#log);
    this.#container.get(MODEL_CHANGES).begin(made, news);
    this.#container.get(CHECKPOINTS).begin(news.restored);
    for (const { name, why } of failed)
      this.#log.error({ model: name, why }, 'a model could not be made; the others go on');
    await this.#settleExperiments(news);
    const serving = this.#container.get(SERVING);
    this.#container.get(GATE).open(serving);
    serving.forgetting.resume();
    this.#container.get(FUSION_PERIODS).begin();
    this.#container.get(EXPERIMENT_KEEPER).begin();
    this.#container.get(JOURNAL_CHECK).begin(news.unread);
    this.#readiness = { ready: true, detail: 'ready' };
    this.#setHealth();
    this.#log.info({ replayedMs: Math.round(news.replayedMs), checkpoint: news.restored?.revision }, 'ready');
    this.#signals.ready();
  }

  /** What is learned is whole, and goes on answering; nothing is added to a journal that could not be learned again. */
  async #halt(damage: AccreteError, learner: LearnerHandle): Promise<void> {
    await learner.halt(damage);
    this.#damage = damage;
    this.#log.error(
      { why: damage.message },
      'the journal is damaged: it takes nothing more, and the next start refuses',
    );
    this.#setHealth();
  }

  #fail(error: AccreteError, stack: string): void {
    this.#readiness = { ready: false, detail: error.message };
    this.#setHealth();
    this.#log.fatal({ reason: error.reason, stack }, error.message);
    this.#container.get(GATE).fail(error);
    this.#container.get(QUEUE).fail(error);
    this.#signals.failed(error);
  }

  #setHealth(): void {
    const { ready } = this.#readiness;
    if (!this.#stopping) this.#container.get(GRPC_SERVER).setHealth(ready, ready && this.#writable && !this.#damage);
  }
}
