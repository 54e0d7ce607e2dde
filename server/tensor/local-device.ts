import type { Device, Workspace } from '../../plugins/contract/index.ts';
import { Budget } from './budget.ts';
import { CpuBackend } from './cpu.ts';
import type { DeviceMeter } from './device-meter.ts';
import { Interpreter } from './interpreter.ts';
import { DeviceFailure } from './operations.ts';
import { RecordingWorkspace } from './workspace.ts';

/** The device that is always there: the thread itself. */
export class LocalDevice implements Device {
  readonly name = 'cpu';
  readonly crossover = Number.POSITIVE_INFINITY;
  readonly #backend = new CpuBackend();
  readonly #budget: Budget;
  readonly #meter: DeviceMeter;

  constructor(budgetBytes: number, meter: DeviceMeter) {
    this.#budget = new Budget(budgetBytes, meter);
    this.#meter = meter;
  }

  async run<T>(work: (workspace: Workspace) => Promise<T>): Promise<T> {
    const interpreter = new Interpreter(this.#backend, this.#budget, this.#meter);
    return runIn(new RecordingWorkspace(interpreter, true), work).finally(() => interpreter.end());
  }
}

/**
 * Does `work`, and waits for what it asked last. It has all its results by then: a device that fails at what is left fails
 * nobody, and the work, which may have changed what it began with, is not to be done again.
 */
export async function runIn<T>(workspace: RecordingWorkspace, work: (workspace: Workspace) => Promise<T>): Promise<T> {
  const result = await work(workspace);
  await workspace.settle().catch((error: unknown) => {
    if (!(error instanceof DeviceFailure)) throw error;
  });
  return result;
}
