import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * What V8 keeps of a burst of work, such as a start, it keeps until it collects garbage, and a thread that does nothing
 * makes none: an idle server would hold twice the memory that it needs.
 */

/** Less than this is not worth the tenths of a second that looking for it takes. */
const WORTH_BYTES = 12 * 2 ** 20;

let collect: NodeJS.GCFunction | undefined;
let keptBytes = 0;

/** Gives this thread's garbage back to the system, and the room that its young objects had, where that may be much. */
export function shrinkHeap(): void {
  if (getHeapStatistics().total_heap_size < keptBytes + WORTH_BYTES) return;
  collect ??= findCollector();
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  keptBytes = getHeapStatistics().total_heap_size;
}

/** Of contexts that are made from then on. */
function findCollector(): NodeJS.GCFunction {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as NodeJS.GCFunction;
}

/** How long nobody has to call until a server counts as idle. */
const IDLE_MS = 2000;

export class IdleWatch {
  readonly #timer: NodeJS.Timeout;
  #calls = -1;

  /** `calls`: how many have begun so far, and how many run now. `onIdle` is called again and again while there are none. */
  constructor(calls: () => { readonly begun: number; readonly open: number }, onIdle: () => void) {
    this.#timer = setInterval(() => {
      const { begun, open } = calls();
      if (open === 0 && begun === this.#calls) onIdle();
      this.#calls = begun;
    }, IDLE_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
