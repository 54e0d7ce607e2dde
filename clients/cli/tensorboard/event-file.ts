import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { crc32c } from './crc32c.ts';

/**
 * TensorBoard's files of events, which others read too (Weights & Biases: `sync_tensorboard`). A file is records of TFRecord,
 * each one `tensorflow.Event` with figures by their names.
 */

/** A figure by its name. */
export type Scalars = Readonly<Record<string, number>>;

const FILE_VERSION = 'brain.Event:2';
/** Added to a rotated checksum: TFRecord's way of telling data from checksums of checksums. */
const MASK_DELTA = 0xa282_ead8;

/** The figures of one run, in a file of its own that grows. */
export class EventFile {
  readonly path: string;

  /** Made in `folder`, which TensorBoard shows as a run. */
  constructor(folder: string, nowMs = Date.now()) {
    mkdirSync(folder, { recursive: true });
    const seconds = Math.floor(nowMs / 1000)
      .toString()
      .padStart(10, '0');
    this.path = join(folder, `events.out.tfevents.${seconds}.accrete.${process.pid}`);
    this.#append(nowMs, (event) => event.tag(3, WireType.LengthDelimited).string(FILE_VERSION));
  }

  /** What figures were at a step: how many observations came before. */
  add(step: number, scalars: Scalars, nowMs = Date.now()): void {
    this.#append(nowMs, (event) => {
      event.tag(2, WireType.Varint).int64(step).tag(5, WireType.LengthDelimited).fork();
      for (const [name, value] of Object.entries(scalars)) {
        event.tag(1, WireType.LengthDelimited).fork();
        event.tag(1, WireType.LengthDelimited).string(name).tag(2, WireType.Bit32).float(value);
        event.join();
      }
      event.join();
    });
  }

  #append(nowMs: number, write: (event: BinaryWriter) => void): void {
    const event = new BinaryWriter();
    event.tag(1, WireType.Bit64).double(nowMs / 1000);
    write(event);
    appendFileSync(this.path, record(event.finish()));
  }
}

/** Length, its checksum, data, its checksum. */
function record(data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(data.length + 16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, masked(bytes.subarray(0, 8)), true);
  bytes.set(data, 12);
  view.setUint32(12 + data.length, masked(data), true);
  return bytes;
}

function masked(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0;
}
