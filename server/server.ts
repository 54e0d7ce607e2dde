import { type Changes, findChanges } from './config/changes.ts';
import { parseListen } from './config/listen.ts';
import { type LoadedConfig, parseConfig } from './config/load.ts';
import { namespaceConfigs } from './config/namespace-configs.ts';
import type { ConfigInput } from './config/schema.ts';
import { AccessFiles } from './container/access.ts';
import { composeFront, FRONT } from './container/front.ts';
import type { AccreteError } from './errors.ts';
import { IdleWatch, shrinkHeap } from './heap.ts';
import type { GrpcServer } from './rpc/grpc-server.ts';
import { Endpoint } from './telemetry/endpoint.ts';
import { createLog, type Logger } from './telemetry/log.ts';
import type { MetricExport } from './telemetry/metrics.ts';
import { DeviceHandle } from './tensor/device-handle.ts';
import { Unit } from './unit.ts';

/** The server as another program holds it: made, started, stopped. */

export interface Addresses {
  /** Where gRPC listens: `host:port`, or `unix:/path`. */
  readonly grpc: string;
  /** Where metrics and probes listen; undefined when they are off. */
  readonly metrics: string | undefined;
}

/**
 * Makes a server for a process that embeds it. What is left out of `config` has its default; neither files nor the
 * environment are read. Throws CONFIG_INVALID.
 */
export function createServer(config: ConfigInput, log?: Logger): AccreteServer {
  const loaded = parseConfig(config);
  return new AccreteServer(loaded, log ?? createLog(loaded.config.log.level));
}

export class AccreteServer {
  /** Resolves when the journals are replayed and calls are answered; rejects when that of the namespace "" failed. */
  readonly ready: Promise<void>;
  /** Resolves, with why, when the server can no longer work. */
  readonly failed: Promise<AccreteError>;
  readonly #log: Logger;
  readonly #main: Unit;
  /** All namespaces, that of `#main` first. */
  readonly #units: readonly Unit[];
  #loaded: LoadedConfig;
  #front: ReturnType<typeof composeFront> | undefined;
  #files: AccessFiles | undefined;
  #device: DeviceHandle | undefined;
  #endpoint: Endpoint | undefined;
  #idle: IdleWatch | undefined;
  #starting: Promise<Addresses> | undefined;
  #stopping: Promise<void> | undefined;

  /** Metrics go to `metricExport` too. */
  constructor(loaded: LoadedConfig, log: Logger, metricExport: MetricExport = { readersOf: () => [] }) {
    this.#loaded = loaded;
    this.#log = log;
    const onHealth = () => this.#setHealth();
    this.#main = new Unit('', loaded, log, metricExport, onHealth);
    const others = namespaceConfigs(loaded).map(
      ([name, own]) => new Unit(name, own, log.child({ namespace: name }), metricExport, onHealth),
    );
    this.#units = [this.#main, ...others];
    this.failed = this.#main.failed;
    // What fails of one namespace is logged, and its calls are told; the others go on.
    this.ready = Promise.all([this.#main.ready, ...others.map(({ ready }) => ready.catch(() => {}))]).then(() => {});
    this.ready.catch(() => {});
  }

  /**
   * Locks the stores, listens, and starts the learners, which replay the journals; calls wait until that is done.
   * Throws STORE_IN_USE, STORE_TOO_NEW, STORE_DAMAGED, CONFIG_INVALID, PLUGIN_INVALID, DEVICE_MISSING.
   */
  start(): Promise<Addresses> {
    this.#starting ??= this.#start();
    return this.#starting;
  }

  async #start(): Promise<Addresses> {
    try {
      await this.#main.examine();
      // From here on `reload` reaches what it made of the configuration.
      const { config } = this.#loaded;
      this.#front = composeFront(config, this.#units);
      this.#files = new AccessFiles(this.#front, config, this.#log);
      const grpcServer = this.#front.get(FRONT);
      const device = await this.#openDevice();
      for (const unit of this.#units) await unit.lock(device);
      const metrics = await this.#listenForMetrics();
      const grpc = await grpcServer.listen(config.listen);
      for (const unit of this.#units) unit.start();
      return { grpc, metrics };
    } catch (error) {
      this.#files?.stop();
      await this.#endpoint?.close();
      await this.#device?.stop();
      for (const unit of this.#units) unit.release();
      throw error;
    }
  }

  /**
   * Takes over what can change while it runs or starts, and reads certificates, tokens and keys anew. Throws CONFIG_INVALID, and then
   * everything goes on as it was.
   */
  reload(loaded: LoadedConfig = this.#loaded): Changes {
    const changes = findChanges(this.#loaded.config, loaded.config);
    this.#files?.reload(changes.config);
    this.#loaded = { ...loaded, config: changes.config };
    this.#log.level = changes.config.log.level;
    for (const unit of this.#units) unit.errorDetail = changes.config.errorDetail;
    return changes;
  }

  /**
   * Gives memory back while nobody calls. For a process that has nothing else to do: all of it stands still for some tenths of a
   * second.
   */
  shrinkWhenIdle(): void {
    this.#idle ??= new IdleWatch(
      () => this.#calls,
      () => this.#shrink(),
    );
  }

  /** Drains: no new calls, what runs is finished, within `drain.timeoutMs`; then the journals are closed. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    const { timeoutMs } = this.#loaded.config.drain;
    const deadlineMs = performance.now() + timeoutMs;
    await this.#starting?.catch(() => {});
    this.#idle?.stop();
    this.#files?.stop();
    const stopping = await Promise.all(this.#units.map(async (unit) => ({ unit, ...(await unit.beginStop()) })));
    await this.#grpcServer?.drain(timeoutMs);
    await Promise.all(stopping.map(({ unit, saved }) => unit.endStop(saved, deadlineMs)));
    await this.#endpoint?.close();
    await this.#device?.stop();
    for (const unit of this.#units) unit.release();
  }

  /** Of all namespaces. */
  get #calls() {
    const all = this.#units.map(({ calls }) => calls);
    const begun = all.reduce((sum, each) => sum + each.begun, 0);
    return { begun, open: all.reduce((sum, each) => sum + each.open, 0) };
  }

  #shrink(): void {
    if (!this.#main.readiness.ready) return;
    shrinkHeap();
    for (const unit of this.#units) unit.shrink();
  }

  get #grpcServer(): GrpcServer | undefined {
    return this.#front?.get(FRONT);
  }

  async #openDevice(): Promise<DeviceHandle> {
    const { device: setting, memory } = this.#loaded.config;
    const onFailure = (why: string) =>
      this.#log.error({ why }, 'the device failed; its work is done on cpu until the server is started again');
    const handle = await DeviceHandle.open({ setting, budgetBytes: memory.deviceMiB * 2 ** 20 }, onFailure);
    this.#device = handle;
    for (const { name, why } of handle.trials)
      if (why) this.#log.warn({ device: name, why }, 'a device cannot be used');
    const { crossover } = handle.traits;
    const from = Number.isFinite(crossover) ? crossover : 'never';
    if (handle.chosen)
      this.#log.info({ device: handle.chosen.name, adapter: handle.chosen.adapter, crossover: from }, 'device');
    return handle;
  }

  async #listenForMetrics(): Promise<string | undefined> {
    const address = parseListen(this.#loaded.config.metrics.listen);
    if (address?.kind !== 'tcp') return undefined;
    this.#endpoint = new Endpoint({
      metrics: (namespace, request, response) => {
        const unit = this.#units.find((each) => each.namespace === namespace);
        unit?.metrics.serve(request, response);
        return unit !== undefined;
      },
      readiness: () => (this.#working.find(({ readiness }) => !readiness.ready) ?? this.#main).readiness,
    });
    return this.#endpoint.listen(address);
  }

  /** A namespace that failed is told to those who call it, and does not take the place of the others. */
  get #working(): readonly Unit[] {
    return this.#units.filter((unit) => unit === this.#main || !unit.hasFailed);
  }

  #setHealth(): void {
    const working = this.#working;
    if (this.#stopping) return;
    this.#grpcServer?.setHealth(
      working.every(({ readiness }) => readiness.ready),
      working.every(({ writable }) => writable),
    );
  }
}
