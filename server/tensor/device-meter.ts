/** What devices have done, counted by all threads and read for metrics: whole numbers in a shared memory of its own. */

const NAMES = ['bytes', 'tensors', 'uploads', 'uploadedBytes', 'microseconds', 'fallbacks', 'failed'] as const;
export type DeviceFigure = (typeof NAMES)[number];

export class DeviceMeter {
  /** For another thread. */
  readonly buffer: SharedArrayBuffer;
  readonly #figures: BigInt64Array;

  constructor(buffer = new SharedArrayBuffer(NAMES.length * BigInt64Array.BYTES_PER_ELEMENT)) {
    this.buffer = buffer;
    this.#figures = new BigInt64Array(buffer);
  }

  get(name: DeviceFigure): number {
    return Number(Atomics.load(this.#figures, NAMES.indexOf(name)));
  }

  add(name: DeviceFigure, amount: number): void {
    Atomics.add(this.#figures, NAMES.indexOf(name), BigInt(Math.round(amount)));
  }

  /** The device is out until the server starts again. Tells whether it was in. */
  fail(): boolean {
    return Atomics.exchange(this.#figures, NAMES.indexOf('failed'), 1n) === 0n;
  }

  get hasFailed(): boolean {
    return this.get('failed') !== 0;
  }
}
