/** Tells on standard error how far a run is, and how long the rest takes at the pace so far. */
const EVERY_MS = 10_000;

export class TimeLeft {
  readonly #startMs = performance.now();
  #toldMs = performance.now();
  readonly #tell: (line: string) => void;

  constructor(tell: (line: string) => void = (line) => process.stderr.write(`${line}\n`)) {
    this.#tell = tell;
  }

  /** `share`: of the whole, 0 to 1. */
  update(what: string, share: number): void {
    const now = performance.now();
    if (now - this.#toldMs < EVERY_MS || share <= 0) return;
    this.#toldMs = now;
    const minutes = ((now - this.#startMs) * (1 - share)) / share / 60_000;
    this.#tell(`${what} | ${Math.floor(100 * share)}% | ${minutes < 1 ? 'less than 1' : Math.round(minutes)} min left`);
  }
}
