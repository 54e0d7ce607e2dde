import type { MessagePort } from 'node:worker_threads';
import { AccreteError } from '../errors.ts';
import type { Backend } from './backend.ts';
import { Budget } from './budget.ts';
import type { DeviceMeter } from './device-meter.ts';
import { Interpreter } from './interpreter.ts';
import type { DeviceAnswer, DeviceAsk } from './messages.ts';

/** A device for other threads: each has a port, and any number of workspaces. It does one thing after another. */
export class DeviceService {
  readonly #backend: Backend;
  readonly #budget: Budget;
  readonly #meter: DeviceMeter;
  readonly #onFailure: (why: string) => void;
  readonly #interpreters = new Set<Interpreter<unknown>>();
  #last: Promise<unknown> = Promise.resolve();
  #failure: string | undefined;

  /** `onFailure` hears, once, why the device does nothing any more. */
  constructor(backend: Backend, budgetBytes: number, meter: DeviceMeter, onFailure: (why: string) => void) {
    this.#backend = backend;
    this.#budget = new Budget(budgetBytes, meter);
    this.#meter = meter;
    this.#onFailure = onFailure;
    void backend.lost?.then((why) => this.#fail(why));
  }

  /** Whatever a thread made is freed when its port closes. */
  serve(port: MessagePort): void {
    const workspaces = new Map<number, Interpreter<unknown>>();
    port.on('message', (ask: DeviceAsk) => {
      const interpreter = this.#obtain(workspaces, ask.workspace);
      if (ask.type === 'end') this.#end(workspaces, ask.workspace);
      else this.#last = this.#last.then(() => this.#execute(interpreter, ask, port));
    });
    port.on('close', () => {
      for (const workspace of [...workspaces.keys()]) this.#end(workspaces, workspace);
    });
  }

  #obtain(workspaces: Map<number, Interpreter<unknown>>, workspace: number): Interpreter<unknown> {
    const known = workspaces.get(workspace);
    if (known) return known;
    const interpreter = new Interpreter(this.#backend, this.#budget, this.#meter);
    if (this.#failure !== undefined) interpreter.lose(this.#failure);
    workspaces.set(workspace, interpreter);
    this.#interpreters.add(interpreter);
    return interpreter;
  }

  /** After what was asked before. */
  #end(workspaces: Map<number, Interpreter<unknown>>, workspace: number): void {
    const interpreter = workspaces.get(workspace);
    if (!interpreter) return;
    workspaces.delete(workspace);
    this.#last = this.#last.then(() => {
      interpreter.end();
      this.#interpreters.delete(interpreter);
    });
  }

  /** Never rejects. */
  async #execute(interpreter: Interpreter<unknown>, asked: DeviceAsk & { type: 'execute' }, port: MessagePort) {
    const { ask, operations, question } = asked;
    const tell = (answer: DeviceAnswer, transfer: ArrayBuffer[] = []) => port.postMessage(answer, transfer);
    try {
      const answer = await interpreter.execute(operations, question);
      const arrays = answer instanceof Float32Array ? [answer] : answer ? [answer.items, answer.scores] : [];
      tell(
        { ask, answer },
        arrays.map(({ buffer }) => buffer as ArrayBuffer),
      );
    } catch (error) {
      if (error instanceof AccreteError) return tell({ ask, error: error.toJSON() });
      const why = error instanceof Error ? error.message : String(error);
      tell({ ask, failure: why });
      this.#fail(why);
    }
  }

  #fail(why: string): void {
    if (this.#failure !== undefined) return;
    this.#failure = why;
    if (this.#meter.fail()) this.#onFailure(why);
    for (const interpreter of this.#interpreters) interpreter.lose(why);
  }
}
