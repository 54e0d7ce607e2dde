import type { Device, Workspace } from '../../plugins/contract/index.ts';
import { Budget } from '../../server/tensor/budget.ts';
import { CpuBackend } from '../../server/tensor/cpu.ts';
import { DeviceMeter } from '../../server/tensor/device-meter.ts';
import { Interpreter } from '../../server/tensor/interpreter.ts';
import { DeviceFailure, type Executor } from '../../server/tensor/operations.ts';
import { RecordingWorkspace } from '../../server/tensor/workspace.ts';

const BUDGET_BYTES = 2 ** 30;

/** `cpu`, which counts how often each run waits, and fails each at the last of so many times: it is then done again. */
export class CountingDevice implements Device {
  readonly name = 'cpu';
  /** So that plugins give it all that they would give to a device. */
  readonly crossover = 0;
  /** By run. */
  readonly waits: number[] = [];
  readonly #failsAt: readonly number[];
  readonly #backend = new CpuBackend();

  /** `failsAt`: at which wait, by run, as another device has counted them. */
  constructor(failsAt: readonly number[] = []) {
    this.#failsAt = failsAt;
  }

  async run<T>(work: (workspace: Workspace) => Promise<T>): Promise<T> {
    const run = this.waits.push(0) - 1;
    try {
      return await this.#do(work, () => {
        if (++this.waits[run] === this.#failsAt[run]) throw new DeviceFailure('planted');
      });
    } catch (error) {
      if (error instanceof DeviceFailure) return this.#do(work, () => {});
      throw error;
    }
  }

  async #do<T>(work: (workspace: Workspace) => Promise<T>, onWait: () => void): Promise<T> {
    const meter = new DeviceMeter();
    const interpreter = new Interpreter(this.#backend, new Budget(BUDGET_BYTES, meter), meter);
    const executor: Executor = {
      execute: async (operations, question) => {
        if (question.what !== 'nothing') onWait();
        return interpreter.execute(operations, question);
      },
      end: () => interpreter.end(),
    };
    try {
      return await work(new RecordingWorkspace(executor, true));
    } finally {
      executor.end();
    }
  }
}
