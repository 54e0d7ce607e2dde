/** What one client has asked of late: a bucket of calls that fills as time passes, and the calls that run. */
export class Usage {
  running = 0;
  #calls = 0;
  #atMs = 0;
  #perSecond = 0;

  /** How many milliseconds to wait before the next call may be taken; 0: it is taken. `perSecond` 0: no limit. */
  take(perSecond: number, nowMs: number): number {
    if (perSecond === 0) return 0;
    // A second's calls may come at once; a limit that changed begins with a full bucket.
    const passed = perSecond === this.#perSecond ? Math.max(0, nowMs - this.#atMs) : 1000;
    this.#perSecond = perSecond;
    this.#calls = Math.min(perSecond, this.#calls + (passed * perSecond) / 1000);
    this.#atMs = nowMs;
    if (this.#calls < 1) return Math.ceil(((1 - this.#calls) * 1000) / perSecond);
    this.#calls--;
    return 0;
  }

  /** Whether nothing would be forgotten with it. */
  isIdle(nowMs: number): boolean {
    return this.running === 0 && nowMs - this.#atMs >= 1000;
  }
}

/** Beyond so many clients those that are idle are forgotten: tokens of others may name any number. */
const USAGES_MAX = 10_000;

export class Usages {
  readonly #all = new Map<string, Usage>();

  of(client: string): Usage {
    const known = this.#all.get(client);
    if (known) return known;
    if (this.#all.size >= USAGES_MAX) this.#forget();
    const usage = new Usage();
    this.#all.set(client, usage);
    return usage;
  }

  #forget(): void {
    const now = performance.now();
    for (const [client, usage] of this.#all) if (usage.isIdle(now)) this.#all.delete(client);
  }
}
