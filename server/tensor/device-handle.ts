import { MessageChannel, type MessagePort, SHARE_ENV, Worker } from 'node:worker_threads';
import type { Device } from '../../plugins/contract/index.ts';
import { AccreteError } from '../errors.ts';
import { candidates, choose, type DeviceSetting, OPENINGS, type Trial, tryAll } from './choose.ts';
import { measureCrossover } from './crossover.ts';
import { DeviceMeter } from './device-meter.ts';
import { LocalDevice } from './local-device.ts';
import type { DeviceGuest, DeviceNews, DeviceStart } from './messages.ts';
import { type DeviceTraits, RemoteDevice } from './remote-device.ts';

export interface DeviceOptions {
  readonly setting: DeviceSetting;
  /** The most that all matrices may take. */
  readonly budgetBytes: number;
}

/** The device thread as the thread that started it holds it. */
export class DeviceHandle {
  /** What computes; undefined stands for `cpu`, and there is no thread. */
  readonly chosen: Trial | undefined;
  readonly trials: readonly Trial[];
  readonly budgetBytes: number;
  readonly meter: DeviceMeter;
  readonly #worker: Worker | undefined;
  #crossover = Number.POSITIVE_INFINITY;
  #hasEnded = false;

  private constructor(budgetBytes: number, meter: DeviceMeter, { chosen, trials }: Found, worker?: Worker) {
    this.budgetBytes = budgetBytes;
    this.meter = meter;
    this.chosen = chosen;
    this.trials = trials;
    this.#worker = worker;
  }

  /**
   * Opens the device of a setting, in a thread that is only started where one is installed. `onFailure` hears, once, why
   * the device does nothing any more. Throws DEVICE_MISSING.
   */
  static async open(options: DeviceOptions, onFailure: (why: string) => void): Promise<DeviceHandle> {
    const { setting } = options;
    const handle = await DeviceHandle.try(options, onFailure);
    if (!handle.chosen && setting !== 'auto' && setting !== 'cpu') throw missing(setting, handle.trials);
    return handle;
  }

  /** The same; where nothing can be used, the trials say why. */
  static async try({ setting, budgetBytes }: DeviceOptions, onFailure: (why: string) => void): Promise<DeviceHandle> {
    const meter = new DeviceMeter();
    const names = candidates(setting);
    if (names.length === 0) return new DeviceHandle(budgetBytes, meter, NOTHING);
    const worker = startThread({ setting, names, budgetBytes, meter: meter.buffer });
    const found = await opened(worker, names);
    if (!found.chosen) await worker.terminate();
    const handle = new DeviceHandle(budgetBytes, meter, found, found.chosen && worker);
    handle.#watch(onFailure);
    await handle.#measure();
    return handle;
  }

  get traits(): DeviceTraits {
    return { name: this.chosen?.name ?? 'cpu', crossover: this.#crossover };
  }

  /** For a thread, with what does its work when this fails. Undefined where that has to do with `cpu`. */
  device(spare: Device): RemoteDevice | undefined {
    const port = this.connect();
    return port && new RemoteDevice(this.traits, port, this.meter, spare);
  }

  /** A port for another thread, to make a `RemoteDevice` of; undefined where that has to do with `cpu`. */
  connect(): MessagePort | undefined {
    if (!this.#worker || this.#hasEnded || this.meter.hasFailed) return undefined;
    const { port1, port2 } = new MessageChannel();
    this.#worker.postMessage({ port: port1 } satisfies DeviceGuest, [port1]);
    return port2;
  }

  async stop(): Promise<void> {
    this.#hasEnded = true;
    await this.#worker?.terminate();
  }

  async #measure(): Promise<void> {
    const cpu = new LocalDevice(this.budgetBytes, new DeviceMeter());
    const device = this.device(cpu);
    if (!device) return;
    this.#crossover = await measureCrossover(device, cpu);
    device.close();
  }

  #watch(onFailure: (why: string) => void): void {
    const end = (why: string) => {
      if (this.#hasEnded) return;
      this.#hasEnded = true;
      if (this.meter.fail()) onFailure(why);
    };
    this.#worker?.on('message', (news: DeviceNews) => {
      if (news.type === 'failed') onFailure(news.why);
    });
    this.#worker?.on('error', (error) => end(String(error)));
    this.#worker?.on('exit', () => end('the device thread has ended'));
  }
}

type Found = Omit<DeviceNews & { readonly type: 'opened' }, 'type'>;

const NOTHING: Found = { chosen: undefined, trials: [] };

/** What the work takes by which a device is compared with `cpu`. */
const EXAMINED_BYTES = 2 ** 26;

/** Tries every device that is installed, each in a thread of its own, and says which one a start would take. */
export async function examineDevices(setting: DeviceSetting): Promise<DeviceExamination> {
  const trials: Trial[] = [];
  for (const { name, isInstalled } of OPENINGS) {
    if (!isInstalled()) {
      trials.push(...(await tryAll([name])).trials);
      continue;
    }
    const handle = await DeviceHandle.try({ setting: name, budgetBytes: EXAMINED_BYTES }, () => {});
    const { crossover } = handle.traits;
    trials.push(...handle.trials.map((trial) => ({ ...trial, ...(Number.isFinite(crossover) && { crossover }) })));
    await handle.stop();
  }
  const usable = trials.flatMap(({ name, accelerated }) => (accelerated === undefined ? [] : [{ name, accelerated }]));
  return { setting, used: choose(setting, usable)?.name ?? (setting === 'auto' ? 'cpu' : setting), trials };
}

export interface DeviceExamination {
  readonly setting: DeviceSetting;
  /** What a start would use; where its trial failed it would be refused. */
  readonly used: string;
  readonly trials: readonly Trial[];
}

/** The libraries look for their settings in the environment of the process, not in a copy. */
function startThread(workerData: DeviceStart): Worker {
  return new Worker(new URL('../device-thread.ts', import.meta.url), { workerData, name: 'device', env: SHARE_ENV });
}

/** What the thread has opened; a thread that ends instead has opened nothing. */
function opened(worker: Worker, names: readonly Trial['name'][]): Promise<Found> {
  return new Promise((resolve) => {
    const fail = (why: string) => resolve({ chosen: undefined, trials: names.map((name) => ({ name, why })) });
    worker.once('message', resolve);
    worker.once('error', (error) => fail(String(error)));
    worker.once('exit', () => fail('its thread ended while it was opened'));
  });
}

function missing(setting: DeviceSetting, trials: readonly Trial[]): AccreteError {
  const why = trials.map((trial) => trial.why).join('; ');
  const remedy = trials.map((trial) => (trial.remedy ? `To get it, ${trial.remedy}; or set` : 'Set')).join('; ');
  const message = `The device ${setting} cannot be used: ${why}. ${remedy} device to auto or cpu`;
  return new AccreteError('DEVICE_MISSING', message, { metadata: { device: setting } });
}
