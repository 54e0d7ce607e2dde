import type { MessagePort } from 'node:worker_threads';
import type { Device, Workspace } from '../../plugins/contract/index.ts';
import { AccreteError } from '../errors.ts';
import type { DeviceMeter } from './device-meter.ts';
import { runIn } from './local-device.ts';
import type { DeviceAnswer, DeviceAsk } from './messages.ts';
import { type Answer, DeviceFailure, type Executor, type Operation, type Question } from './operations.ts';
import { RecordingWorkspace } from './workspace.ts';

/** What is known of a device before it is asked. */
export type DeviceTraits = Pick<Device, 'name' | 'crossover'>;

/** The device of the device thread, as another thread has it. Work that it fails at is done again on `spare`. */
export class RemoteDevice implements Device {
  readonly #traits: DeviceTraits;
  readonly #port: MessagePort;
  readonly #meter: DeviceMeter;
  readonly #spare: Device;
  readonly #asks = new Map<number, PromiseWithResolvers<Answer>>();
  #askCount = 0;
  #workspaceCount = 0;
  #isClosed = false;

  constructor(traits: DeviceTraits, port: MessagePort, meter: DeviceMeter, spare: Device) {
    this.#traits = traits;
    this.#port = port;
    this.#meter = meter;
    this.#spare = spare;
    port.on('message', (answer: DeviceAnswer) => this.#hear(answer));
    port.on('close', () => this.#lose());
  }

  get name(): string {
    return this.#isUsable ? this.#traits.name : this.#spare.name;
  }

  get crossover(): number {
    return this.#isUsable ? this.#traits.crossover : this.#spare.crossover;
  }

  async run<T>(work: (workspace: Workspace) => Promise<T>): Promise<T> {
    if (!this.#isUsable) return this.#spare.run(work);
    const executor = this.#executor(this.#workspaceCount++);
    const workspace = new RecordingWorkspace(executor, false);
    try {
      return await runIn(workspace, work);
    } catch (error) {
      // What the work makes of a failure need not be one.
      if (!(workspace.failure instanceof DeviceFailure)) throw error;
      this.#meter.add('fallbacks', 1);
      return await this.#spare.run(work);
    } finally {
      executor.end();
    }
  }

  close(): void {
    this.#port.close();
  }

  get #isUsable(): boolean {
    return !this.#isClosed && !this.#meter.hasFailed;
  }

  #executor(workspace: number): Executor {
    return {
      execute: (operations, question) => this.#ask(workspace, operations, question),
      end: () => this.#tell({ type: 'end', workspace }),
    };
  }

  #ask(workspace: number, operations: readonly Operation[], question: Question): Promise<Answer> {
    if (this.#isClosed) return Promise.reject(gone());
    const ask = this.#askCount++;
    const answer = Promise.withResolvers<Answer>();
    this.#asks.set(ask, answer);
    const moved = operations.flatMap((operation) =>
      operation.op === 'upload' ? [operation.values.buffer as ArrayBuffer] : [],
    );
    this.#tell({ type: 'execute', workspace, ask, operations, question }, moved);
    return answer.promise;
  }

  #tell(ask: DeviceAsk, moved: ArrayBuffer[] = []): void {
    if (!this.#isClosed) this.#port.postMessage(ask, moved);
  }

  #hear(told: DeviceAnswer): void {
    const waiting = this.#asks.get(told.ask);
    this.#asks.delete(told.ask);
    if ('answer' in told) waiting?.resolve(told.answer);
    else if ('error' in told) waiting?.reject(AccreteError.from(told.error));
    else waiting?.reject(new DeviceFailure(told.failure));
  }

  /** The device thread has ended. */
  #lose(): void {
    this.#isClosed = true;
    for (const { reject } of this.#asks.values()) reject(gone());
    this.#asks.clear();
  }
}

function gone(): DeviceFailure {
  return new DeviceFailure('the device thread has ended');
}
