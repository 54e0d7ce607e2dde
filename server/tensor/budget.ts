import { AccreteError } from '../errors.ts';
import type { DeviceMeter } from './device-meter.ts';

/** How much all matrices of a device may take together. */
export class Budget {
  readonly #bytes: number;
  readonly #meter: DeviceMeter;
  #used = 0;
  #tensors = 0;

  constructor(bytes: number, meter: DeviceMeter) {
    this.#bytes = bytes;
    this.#meter = meter;
  }

  get used(): number {
    return this.#used;
  }

  /** Throws DEVICE_FULL. */
  take(bytes: number, what: string): void {
    if (this.#used + bytes > this.#bytes) throw full(bytes, what, this.#used, this.#bytes);
    this.#used += bytes;
    this.#meter.add('bytes', bytes);
  }

  /** Says how many tensors the device has now. */
  recount(tensors: number): void {
    this.#meter.add('tensors', tensors - this.#tensors);
    this.#tensors = tensors;
  }

  give(bytes: number): void {
    this.#used -= bytes;
    this.#meter.add('bytes', -bytes);
  }
}

const MIB = 2 ** 20;

function full(bytes: number, what: string, used: number, budget: number): AccreteError {
  const message =
    `A matrix of ${what} takes ${mib(bytes)} on the device; memory.deviceMiB allows ${mib(budget)}, of which ${mib(used)} ` +
    `are taken: set memory.deviceMiB to ${Math.ceil((used + bytes) / MIB)} or more`;
  return new AccreteError('DEVICE_FULL', message, { metadata: { bytes: String(bytes), budget_bytes: String(budget) } });
}

function mib(bytes: number): string {
  return `${Number((bytes / MIB).toFixed(1))} MiB`;
}
