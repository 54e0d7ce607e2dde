import type { Model } from '../models/model.ts';

/** What one model did of a request: from when to when, and for how much of that. In milliseconds. */
export interface ModelTime {
  readonly model: string;
  readonly start: number;
  readonly end: number;
  /** Models take turns, rating by rating. */
  readonly busyMs: number;
}

/** How long each model worked on one request that somebody traces. */
export class ModelMeter {
  readonly #times = new Map<string, ModelTime>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Runs a step of a model. */
  time(model: Pick<Model, 'name'>, step: () => void): void {
    const begun = this.#now();
    try {
      step();
    } finally {
      const end = this.#now();
      const { start = begun, busyMs = 0 } = this.#times.get(model.name) ?? {};
      this.#times.set(model.name, { model: model.name, start, end, busyMs: busyMs + end - begun });
    }
  }

  /** In the order in which they began. */
  get times(): readonly ModelTime[] {
    return [...this.#times.values()];
  }
}
