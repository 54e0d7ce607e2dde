import type { KindEvent, LearnContext, Learner, RatingEvent } from '../../contract/index.ts';
import type { MfConfig } from '../config.ts';
import type { MfKernels } from '../kernels.ts';
import { placing } from '../standing.ts';
import type { MfTables } from '../tables.ts';
import { Lessons } from './lessons.ts';
import { FOR, NOTHING, type Side, type Trials } from './trials.ts';

type Context = LearnContext<MfConfig, MfTables, MfKernels>;

/** Learns what users do, for the objective that is configured. */
export class FeedbackLearner implements Learner {
  readonly #context: Context;
  readonly #lessons: Lessons;
  readonly #trials: Trials;
  readonly #place: (item: number) => void;

  constructor(context: Context) {
    this.#context = context;
    this.#lessons = new Lessons(context);
    this.#trials = this.#lessons.trials;
    this.#place = placing(context);
  }

  /** An edit that stays on its side is learned as if it came now; another first takes back what was learned. */
  learn(event: RatingEvent): void {
    const { user, item, weight, previous } = event;
    const side = this.#trials.ofRating(event);
    const before = previous ? this.#trials.ofRating(previous) : NOTHING;
    if (previous && before !== NOTHING && before !== side) this.#takeBack(user, item, before, previous.weight, item);
    this.#learn(user, item, side, weight, before === side);
  }

  retract(event: RatingEvent): void {
    this.#takeBack(event.user, event.item, this.#trials.ofRating(event), event.weight);
  }

  learnEvent(event: KindEvent): void {
    if (event.exposure) this.#lessons.countExposure(1);
    this.#learn(event.user, event.item, this.#sideOf(event), event.weight, false);
  }

  retractEvent(event: KindEvent): void {
    const { user, item, exposure, weight } = event;
    // Of one that was answered nothing is left in the item's row.
    const inItem = !exposure || this.#trials.wasOpen(user, item);
    this.#takeBack(user, item, this.#sideOf(event), inItem ? weight : 0);
    if (exposure) this.#lessons.countExposure(-1);
  }

  #sideOf({ kind, value, weight, exposure }: KindEvent): Side {
    return this.#trials.ofEvent(kind, value, weight, exposure);
  }

  #learn(user: number, item: number, side: Side, weight: number, isCounted: boolean): void {
    if (side === NOTHING) return;
    const undone = this.#undone(user, item, side);
    if (side === FOR && !isCounted) this.#lessons.count(item, 1);
    this.#lessons.learn(user, item, side, weight, isCounted ? 0 : undone);
    this.#place(item);
  }

  /**
   * The item's row goes back a step, or begins anew when nothing speaks for it any more; the user's begins anew and learns
   * what remains. `but`: an item whose rating is about to be replaced.
   */
  #takeBack(user: number, item: number, side: Side, weight: number, but?: number): void {
    if (side === NOTHING) return;
    const { reset, config } = this.#context;
    const undone = this.#undone(user, item, side);
    this.#lessons.unlearn(user, item, side, weight, undone);
    if (side === FOR && this.#lessons.count(item, -1) === 0) reset('items', item);
    reset('users', user);
    for (const trial of this.#trials.ofUser(user, config.relearn, but))
      this.#lessons.relearn(user, trial.item, trial.side, trial.weight);
    this.#place(item);
  }

  #undone(user: number, item: number, side: Side): number {
    return side === FOR && this.#lessons.hasExposures ? this.#trials.answered(user, item) : 0;
  }
}
