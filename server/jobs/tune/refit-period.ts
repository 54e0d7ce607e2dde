import type { Device } from '../../../plugins/contract/index.ts';
import type { WritableModel } from '../../models/writable-model.ts';

/** When a model that replays a stretch is trained anew: each time that it has learned so much, as if it served. */
export class RefitPeriod {
  readonly model: WritableModel;
  readonly #everyEvents: number;
  /** What it had learned when the period began. */
  #learned = 0;

  /** `everyEvents`: ratings and events; 0: never. */
  constructor(model: WritableModel, everyEvents: number) {
    this.model = model;
    this.#everyEvents = everyEvents;
  }

  get isOver(): boolean {
    const { events, quarantinedAt } = this.model.prequential;
    return this.#everyEvents > 0 && events - this.#learned >= this.#everyEvents && quarantinedAt === 0;
  }

  /** Trains it on all that is live, and begins the next period; `onPart` hears how long each part took. Throws what a refit throws. */
  async refit(seed: number, device: Device, onPart: (ms: number) => void): Promise<void> {
    this.#learned = this.model.prequential.events;
    let fromMs = performance.now();
    for await (const _ of this.model.refit(seed, device)) {
      const nowMs = performance.now();
      onPart(nowMs - fromMs);
      fromMs = nowMs;
    }
    this.model.forgetExpected();
  }
}
