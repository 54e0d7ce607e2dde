import { MessageChannel, type MessagePort, SHARE_ENV, Worker } from 'node:worker_threads';
import { AccreteError } from '../errors.ts';
import { candidates, type DeviceSetting, type Trial } from './choose.ts';
import { DeviceMeter } from './device-meter.ts';
import type { DeviceGuest, DeviceNews, DeviceStart } from './messages.ts';

/** The device thread as the thread that started it holds it. */
export class DeviceHandle {
  /** What computes; undefined stands for `cpu`, and there is no thread. */
  readonly chosen: Trial | undefined;
  readonly trials: readonly Trial[];
  readonly meter: DeviceMeter;
  readonly #worker: Worker | undefined;
  #hasEnded = false;

  private constructor(meter: DeviceMeter, worker?: Worker, chosen?: Trial, trials: readonly Trial[] = []) {
    this.meter = meter;
    this.#worker = worker;
    this.chosen = chosen;
    this.trials = trials;
  }

  /**
   * Opens the device of a setting, in a thread that is only started where a device was found. `onFailure` hears, once, why
   * the device does nothing any more. Throws DEVICE_MISSING.
   */
  static async open(
    { setting, budgetBytes }: Omit<DeviceStart, 'meter'>,
    onFailure: (why: string) => void,
  ): Promise<DeviceHandle> {
    const meter = new DeviceMeter();
    if (candidates(setting).length === 0) return new DeviceHandle(meter);
    const worker = start({ setting, budgetBytes, meter: meter.buffer });
    const { chosen, trials } = await opened(worker);
    if (!chosen) await worker.terminate();
    if (!chosen && setting !== 'auto') throw missing(setting, trials);
    if (!chosen) return new DeviceHandle(meter, undefined, undefined, trials);
    const thread = new DeviceHandle(meter, worker, chosen, trials);
    thread.#watch(onFailure);
    return thread;
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

/** The libraries look for their settings in the environment of the process, not in a copy. */
function start(workerData: DeviceStart): Worker {
  return new Worker(new URL('../device-thread.ts', import.meta.url), { workerData, name: 'device', env: SHARE_ENV });
}

function opened(worker: Worker): Promise<DeviceNews & { type: 'opened' }> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('the device thread ended while it opened its device')));
  });
}

function missing(setting: DeviceSetting, trials: readonly Trial[]): AccreteError {
  const why = trials.map((trial) => trial.why).join('; ');
  const remedy = trials.map((trial) => (trial.remedy ? `To get it, ${trial.remedy}; or set` : 'Set')).join('; ');
  const message = `The device ${setting} cannot be used: ${why}. ${remedy} device to auto or cpu`;
  return new AccreteError('DEVICE_MISSING', message, { metadata: { device: setting } });
}
