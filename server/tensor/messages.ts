import type { MessagePort } from 'node:worker_threads';
import type { PlainError } from '../errors.ts';
import type { DeviceSetting, Trial } from './choose.ts';
import type { Answer, Operation, Question } from './operations.ts';

/** What the device thread starts with. */
export interface DeviceStart {
  readonly setting: DeviceSetting;
  /** The devices to try. */
  readonly names: readonly Trial['name'][];
  readonly budgetBytes: number;
  /** Of a `DeviceMeter`. */
  readonly meter: SharedArrayBuffer;
}

/** From the device thread to the one that started it. */
export type DeviceNews =
  | { readonly type: 'opened'; readonly chosen: Trial | undefined; readonly trials: readonly Trial[] }
  /** From now on it does nothing: whoever asks it goes on with `cpu`. */
  | { readonly type: 'failed'; readonly why: string };

/** To the device thread: another thread will ask by this port. */
export interface DeviceGuest {
  readonly port: MessagePort;
}

/** To the device thread, by a port. */
export type DeviceAsk =
  | {
      readonly type: 'execute';
      readonly workspace: number;
      readonly ask: number;
      readonly operations: readonly Operation[];
      readonly question: Question;
    }
  | { readonly type: 'end'; readonly workspace: number };

/** From it, by that port. */
export type DeviceAnswer =
  | { readonly ask: number; readonly answer: Answer }
  | { readonly ask: number; readonly error: PlainError }
  | { readonly ask: number; readonly failure: string };
