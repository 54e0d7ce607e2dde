/** Steps of some work for one who takes them when they like: the work never waits, and of passing ones the latest stays. */
export class StepQueue<Step> implements AsyncIterable<Step> {
  readonly #steps: { readonly step: Step; readonly isPassing: boolean }[] = [];
  #end: { readonly failure?: unknown } | undefined;
  #wake = () => {};

  put(step: Step, isPassing = false): void {
    if (isPassing && this.#steps.at(-1)?.isPassing) this.#steps.pop();
    this.#steps.push({ step, isPassing });
    this.#wake();
  }

  /** Nothing comes any more; with a `failure`, which whoever takes the steps gets after the last one. */
  end(end: { readonly failure?: unknown } = {}): void {
    this.#end ??= end;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Step, void> {
    for (;;) {
      const next = this.#steps.shift();
      if (next) yield next.step;
      else if (!this.#end) await new Promise<void>((resolve) => (this.#wake = resolve));
      else if ('failure' in this.#end) throw this.#end.failure;
      else return;
    }
  }
}
