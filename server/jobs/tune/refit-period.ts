import type { Device } from '../../../plugins/contract/index.ts';
import { AccreteError } from '../../errors.ts';
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

export interface Refitting {
  readonly seed: number;
  readonly device: Device;
  readonly onPart: (ms: number) => void;
  /** Hears of a model that could not be trained, which learns no more. */
  readonly onFailure: (model: WritableModel, why: unknown) => void;
}

/** Trains those whose period is over before record `revision`. Throws MEMORY_FULL. */
export async function refitDue(
  periods: readonly RefitPeriod[],
  revision: number,
  { seed, device, onPart, onFailure }: Refitting,
): Promise<void> {
  for (const period of periods) {
    if (!period.isOver) continue;
    try {
      await period.refit(seed, device, onPart);
    } catch (why) {
      if (why instanceof AccreteError && why.reason === 'MEMORY_FULL') throw why;
      period.model.prequential.quarantine(revision);
      onFailure(period.model, why);
    }
  }
}
