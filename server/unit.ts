import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadedConfig } from './config/load.ts';
import { CHECKPOINTS, FORGETTING, MODEL_CHANGES } from './container/changing.ts';
import { bindJournalCheck, JOURNAL_CHECK } from './container/checking.ts';
import { EXPERIMENT_KEEPER } from './container/experimenting.ts';
import { bindFusionPeriods, FUSION_PERIODS } from './container/fusion-periods.ts';
import {
  ANSWER_EVENTS,
  CALL_TELEMETRY,
  CHECK_JOBS,
  CHECKPOINT_JOBS,
  composeServer,
  DEVICE,
  EXPERIMENTS,
  GATE,
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
import type { Logger } from './telemetry/log.ts';
import type { MetricExport, Metrics } from './telemetry/metrics.ts';
import type { DeviceHandle } from './tensor/device-handle.ts';

/** What the learner has at least to close the journal, also when the time for the drain is used up. */
const LEARNER_STOP_MS = 1000;

type Ready = Extract<LearnerNews, { type: 'ready' }>;

/**
 * All of one namespace: a store, a memory, a learner and what answers from them. It shares nothing with those beside it but
 * the process, its port and its device.
 */
export class Unit {
  /** Resolves when the journal is replayed and calls are answered; rejects when that failed. */
  readonly ready: Promise<void>;
  /** Resolves, with why, when it can no longer work. */
  readonly failed: Promise<AccreteError>;
  /** "" is that of whoever has no other. */
  readonly namespace: string;
  readonly container: ReturnType<typeof composeServer>;
  readonly #loaded: LoadedConfig;
  readonly #log: Logger;
  readonly #onHealth: () => void;
  readonly #signals = { ready: () => {}, failed: (_error: AccreteError) => {} };
  #lock: StoreLock | undefined;
  #learner: LearnerHandle | undefined;
  #readiness = { ready: false, detail: 'starting' };
  #writable = true;
  #damage: AccreteError | undefined;
  #hasFailed = false;
  #isStopping = false;

  /** `onHealth` is called when any of `readiness` and `writable` may be other. */
  constructor(namespace: string, loaded: LoadedConfig, log: Logger, metricExport: MetricExport, onHealth: () => void) {
    this.namespace = namespace;
    this.#loaded = loaded;
    this.#log = log;
    this.#onHealth = onHealth;
    this.container = composeServer(loaded.config, log, metricExport, namespace);
    this.failed = new Promise((resolve) => (this.#signals.failed = resolve));
    this.ready = new Promise((resolve, reject) => {
      this.#signals.ready = resolve;
      this.failed.then(reject);
    });
    this.ready.catch(() => {});
  }

  /** Whether calls are answered now, and if not, why. */
  get readiness(): { readonly ready: boolean; readonly detail: string } {
    return this.#readiness;
  }

  /** Whether ratings can be made durable now. */
  get writable(): boolean {
    return this.#readiness.ready && this.#writable && !this.#damage;
  }

  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  get metrics(): Metrics {
    return this.container.get(METRICS);
  }

  /** How many calls have begun so far, and how many run now. */
  get calls(): { readonly begun: number; readonly open: number } {
    return this.container.get(CALL_TELEMETRY).calls;
  }

  /** Nobody calls: its learner gives back what it does not need. */
  shrink(): void {
    this.#learner?.shrink();
  }

  set errorDetail(detail: 'full' | 'reason') {
    this.container.get(CALL_TELEMETRY).errorDetail = detail;
  }

  /** Looks whether it could start: throws CONFIG_INVALID, PLUGIN_INVALID. */
  async examine(): Promise<void> {
    const { models } = this.#loaded.config;
    const resolved = await resolveModels(models);
    requireInputs(resolved);
    requirePeriods(models, resolved);
  }

  /** Takes the store. Throws STORE_IN_USE, STORE_TOO_NEW, STORE_DAMAGED, CONFIG_INVALID. */
  async lock(device: DeviceHandle): Promise<void> {
    const { data } = this.#loaded.config;
    this.container.bind(DEVICE).toConstantValue(device);
    this.#lock = await StoreLock.acquire(data);
    await requireFormat(data);
  }

  release(): void {
    this.#lock?.release();
  }

  /** Starts the learner, which replays the journal; calls wait until that is done. */
  start(): void {
    const { config, sources } = this.#loaded;
    const { memory } = this.container.get(ARENA);
    const rings = this.container.get(RINGS);
    const explicit = [...sources].filter(([, source]) => source !== 'default').map(([path]) => path);
    void this.container.get(QUEUE).listen();
    const start = { config, memory, rings, explicit };
    const learner: LearnerHandle = new LearnerHandle(start, (news) => this.#hear(news, learner));
    this.#learner = learner;
  }

  /** From now on nothing begins. Resolves, to when the state is saved, when calls can be drained. */
  async beginStop(): Promise<{ readonly saved: Promise<unknown> | undefined }> {
    this.#isStopping = true;
    this.#readiness = { ready: false, detail: 'draining' };
    const draining = new AccreteError('DRAINING', 'The server is stopping: ask the next one');
    this.container.get(GATE).fail(draining);
    findBound(this.container, FUSION_PERIODS)?.stop(draining);
    findBound(this.container, FORGETTING)?.stop(interrupted());
    findBound(this.container, JOURNAL_CHECK)?.stop();
    await this.container.get(CHECK_JOBS).close();
    await this.container.get(JOBS).close();
    return { saved: findBound(this.container, CHECKPOINTS)?.stop() };
  }

  /** The calls are done: what is not saved by `deadlineMs` is not waited for. */
  async endStop(saved: Promise<unknown> | undefined, deadlineMs: number): Promise<void> {
    await this.#closeExperiments();
    // What is written by then the learner need not write again.
    await Promise.race([saved, sleep(deadlineMs - performance.now(), undefined, { ref: false })]);
    await this.container.get(CHECKPOINT_JOBS).close();
    await saved;
    await this.#learner?.stop(Math.max(LEARNER_STOP_MS, deadlineMs - performance.now()));
    this.container.get(QUEUE).close();
  }

  /** What they logged goes to the learner, as long as that is there. */
  async #closeExperiments(): Promise<void> {
    findBound(this.container, EXPERIMENT_KEEPER)?.stop();
    await findBound(this.container, EXPERIMENT_KEEPER)?.close();
    await findBound(this.container, ANSWER_EVENTS)?.close();
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
        this.container.get(MODEL_CHANGES).settle(news.deployment);
        this.container.get(SCENARIOS).settle(news.deployment.scenarios);
        void this.#settleExperiments(news);
        break;
      case 'writable':
        this.#writable = news.writable;
        this.#onHealth();
        if (news.writable) this.#log.info('ratings are durable again');
        else this.#log.error({ why: news.why }, 'ratings cannot be made durable; trying again every second');
        break;
      case 'drifted':
        // What a start learns again was told of before.
        if (this.#readiness.ready) this.#log.warn({ ...this.#whose(news), ...news.drift }, 'a model found drift');
        break;
      case 'quarantined':
        this.#log.error(
          { ...this.#whose(news), why: news.why },
          'a model failed and stopped learning; the others go on',
        );
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

  /** The model, or an isolated arm's own copy of it. */
  #whose({ model, cohort }: { readonly model: string; readonly cohort: string | undefined }) {
    if (cohort === undefined) return { model };
    return { model, arm: findBound(this.container, EXPERIMENTS)?.armNamed(cohort) ?? cohort };
  }

  async #settleExperiments({ deployment, cohorts }: Pick<Ready, 'deployment' | 'cohorts'>): Promise<void> {
    try {
      await this.container.get(EXPERIMENTS).follow(deployment.experiments ?? new Map(), cohorts);
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
    if (this.#isStopping) return;
    composeServing(this.container, news, asks, this.#log);
    bindFusionPeriods(this.container, this.#log);
    bindJournalCheck(this.container, (damage) => this.#halt(damage, learner), this.#log);
    this.container.get(MODEL_CHANGES).begin(made, news);
    this.container.get(CHECKPOINTS).begin(news.restored);
    for (const { name, why } of failed)
      this.#log.error({ model: name, why }, 'a model could not be made; the others go on');
    await this.#settleExperiments(news);
    const serving = this.container.get(SERVING);
    this.container.get(GATE).open(serving);
    serving.forgetting.resume();
    this.container.get(FUSION_PERIODS).begin();
    this.container.get(EXPERIMENT_KEEPER).begin();
    this.container.get(JOURNAL_CHECK).begin(news.unread);
    this.#readiness = { ready: true, detail: 'ready' };
    this.#onHealth();
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
    this.#onHealth();
  }

  #fail(error: AccreteError, stack: string): void {
    this.#hasFailed = true;
    this.#readiness = { ready: false, detail: error.message };
    this.#onHealth();
    this.#log.fatal({ reason: error.reason, stack }, error.message);
    this.container.get(GATE).fail(error);
    this.container.get(QUEUE).fail(error);
    this.#signals.failed(error);
  }
}
