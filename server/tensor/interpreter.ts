import { AccreteError } from '../errors.ts';
import type { Backend } from './backend.ts';
import type { Budget } from './budget.ts';
import type { DeviceMeter } from './device-meter.ts';
import { type Answer, DeviceFailure, type Executor, type Making, type Operation, type Question } from './operations.ts';
import { bytesOf, describe } from './shape.ts';

/** Does the operations of one workspace on a backend, within a budget that it shares with others. */
export class Interpreter<T> implements Executor {
  readonly #backend: Backend<T>;
  readonly #budget: Budget;
  readonly #meter: DeviceMeter;
  readonly #tensors = new Map<number, { readonly tensor: T; readonly bytes: number }>();
  readonly #lost = Promise.withResolvers<never>();
  #failure: { readonly why: unknown } | undefined;

  constructor(backend: Backend<T>, budget: Budget, meter: DeviceMeter) {
    this.#backend = backend;
    this.#budget = budget;
    this.#meter = meter;
    // Not everybody waits for an answer when the device goes.
    this.#lost.promise.catch(() => {});
  }

  async execute(operations: readonly Operation[], question: Question): Promise<Answer> {
    if (this.#failure) throw this.#failure.why;
    const startMs = performance.now();
    try {
      for (const operation of operations) this.#do(operation);
      return await this.#answer(question);
    } catch (error) {
      const why = error instanceof AccreteError ? error : new DeviceFailure(String(error), { cause: error });
      this.#failure = { why };
      throw why;
    } finally {
      this.#meter.add('microseconds', (performance.now() - startMs) * 1000);
      this.#budget.recount(this.#backend.tensors);
    }
  }

  /** The device is gone: an answer that is waited for will not come. */
  lose(why: string): void {
    const failure = new DeviceFailure(why);
    this.#failure ??= { why: failure };
    this.#lost.reject(failure);
  }

  end(): void {
    this.#failure ??= { why: new DeviceFailure('the workspace has ended') };
    this.#freeAll();
    this.#budget.recount(this.#backend.tensors);
  }

  #do(operation: Operation): void {
    if (operation.op === 'free') this.#free(operation.matrix);
    else this.#make(operation);
  }

  #make(operation: Making): void {
    const bytes = bytesOf(operation);
    this.#budget.take(bytes, describe(operation));
    try {
      const a = 'a' in operation ? this.#find(operation.a) : undefined;
      const b = 'b' in operation ? this.#find(operation.b) : undefined;
      this.#tensors.set(operation.out, { tensor: this.#backend.make(operation, a, b), bytes });
    } catch (error) {
      this.#budget.give(bytes);
      throw error;
    }
    if (operation.op !== 'upload') return;
    this.#meter.add('uploads', 1);
    this.#meter.add('uploadedBytes', bytes);
  }

  async #answer(question: Question): Promise<Answer> {
    if (question.what === 'nothing') return undefined;
    const tensor = this.#find(question.matrix);
    const told = question.what === 'values' ? this.#backend.read(tensor) : this.#backend.topK(tensor, question.count);
    return Promise.race([told, this.#lost.promise]);
  }

  #find(matrix: number): T {
    const held = this.#tensors.get(matrix);
    if (!held) throw new Error(`there is no matrix ${matrix}`);
    return held.tensor;
  }

  #free(matrix: number): void {
    const held = this.#tensors.get(matrix);
    if (!held) return;
    this.#tensors.delete(matrix);
    this.#budget.give(held.bytes);
    this.#backend.free(held.tensor);
  }

  /** A device that has failed may fail at this, too. */
  #freeAll(): void {
    for (const matrix of [...this.#tensors.keys()]) {
      try {
        this.#free(matrix);
      } catch {
        // Its bytes are given back already.
      }
    }
  }
}
