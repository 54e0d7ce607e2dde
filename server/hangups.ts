import { closeSync, openSync } from 'node:fs';

/** SIGHUP, from the first moment of the process on: one that comes early waits until there is something to read anew. */
export class Hangups {
  readonly #hadTerminal = hasTerminal();
  readonly #hear = () => this.#take();
  #isWaiting = false;
  #take = () => {
    this.#isWaiting = true;
  };

  constructor() {
    process.on('SIGHUP', this.#hear);
  }

  /** From now on each one calls `reload`, or `stop` if it came of a terminal that was closed. */
  take(reload: () => void, stop: () => void): void {
    this.#take = () => (this.#hadTerminal && !hasTerminal() ? stop() : reload());
    if (this.#isWaiting) this.#take();
  }

  /** For what is no server: it ends by it. */
  leave(): void {
    process.off('SIGHUP', this.#hear);
    if (this.#isWaiting) process.kill(process.pid, 'SIGHUP');
  }
}

function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}
