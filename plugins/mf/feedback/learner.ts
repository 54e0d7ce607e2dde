import type { KindEvent, LearnContext, Learner, RatingEvent } from '../../contract/index.ts';
import type { MfConfig } from '../config.ts';
import type { MfKernels } from '../kernels.ts';
import { placing } from '../standing.ts';
import type { MfTables } from '../tables.ts';
import { Lessons } from './lessons.ts';
import { AGAINST, FOR, NOTHING, type Side, type Trials } from './trials.ts';

type Context = LearnContext<MfConfig, MfTables, MfKernels>;

/**
 * Learns what users do, by one of three objectives, each by stochastic gradient descent on pairs of vectors of k numbers. What
 * speaks for an item and what against it says `trials.ts`. The score of item i for user u is
 *
 *     x_i = b_i + <p_u, q_i>, of logistic b + b_u + b_i + <p_u, q_i>      p, q: k numbers; b: one for each item, user, and all
 *
 * An event of weight w for item i is told apart from items j that are drawn (`../draws.ts`), by errors e of the scores:
 *
 *     logistic   e_i = w (1 - s(x_i)), e_j = -w s(x_j), s(x) = 1/(1 + e^-x): of the log loss of probabilities
 *     bpr        e_i = w mean_j s(x_j - x_i), e_j = -w s(x_j - x_i)/N           (Rendle, Freudenthaler, Gantner &
 *                                                                               Schmidt-Thieme 2009)
 *     warp       of the first j at all with x_j > x_i - 1, drawn as the t-th: e_i = w ln(1 + (M - 1)/t), M items to draw
 *                from: the logarithm of the rank that this says; e_j = -e_i       (Weston, Bengio & Usunier 2011)
 *
 * Each row moves by a step size of its own (Adagrad by rows: Duchi, Hazan & Singer 2011), g = sum_n e_n q_n over i and all j:
 *
 *     S_u += |g|²/k        p_u += eta/sqrt(.01 + S_u) (g - l2 p_u)
 *     S_n += e_n² |p|²/k   q_n += eta/sqrt(.01 + S_n) (e_n p_u - l2 q_n), of p as it was; n: i, and, where `scope` is full, j
 *     T += e²              b += biasEta/sqrt(.01 + T) (e - l2 b), e of b_u and b the sum of all
 *
 * Vectors stay within a ball and biases within an interval, so no legal setting diverges.
 *
 * Exposures (`logistic` alone): while there are any, nothing is drawn. An exposure is learned at once as one that nothing comes
 * of, e = -w s(x); an event that answers it is learned with what that took away in return, e = w' (1 - s(x)) + w s(x): where
 * both weigh the same, e = 1, so that on average nothing moves where x says how often an exposure is answered. Other weights
 * multiply the odds by w'/w. Without exposures, N of M items stand against each event, and the odds are multiplied by N/M
 * (King & Zeng 2001): s(x + ln(N/M)) is the probability that what the user does next concerns the item.
 *
 * A retraction resets the user's row, which learns its remaining trials again and reads the items; the item's row goes back by
 * the step that it would take now, and begins anew when nothing speaks for it any more. What drawn items and b learned of it
 * stays until a refit, which knows nothing but what is live (`refit.ts`).
 */
export class FeedbackLearner implements Learner {
  readonly #context: Context;
  readonly #lessons: Lessons;
  readonly #trials: Trials;
  /** Whether one of the events that are taken back together counted. */
  #isDue = false;
  /** Whether the event that was taken back last goes together with the next. */
  #goesOn = false;
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
    this.#lessons.begin();
    const side = this.#trials.ofRating(event);
    const before = previous ? this.#trials.ofRating(previous) : NOTHING;
    if (previous && before !== side) this.#takeBack(user, item, before, previous.weight, item);
    this.#learn(user, item, side, weight, before === side);
  }

  retract(event: RatingEvent): void {
    this.#lessons.begin();
    this.#takeBack(event.user, event.item, this.#trials.ofRating(event), event.weight);
  }

  learnEvent(event: KindEvent): void {
    this.#lessons.begin();
    const side = this.#sideOf(event);
    if (side === AGAINST) this.#lessons.countExposure(1);
    this.#learn(event.user, event.item, side, event.weight, false);
  }

  retractEvent(event: KindEvent): void {
    const { user, item, exposure, weight, more } = event;
    // Those that go together are all of one item, which is never drawn against itself.
    if (!this.#goesOn) this.#lessons.begin();
    this.#goesOn = more;
    // Of one that was answered nothing is left in the item's row.
    const inItem = !exposure || this.#trials.wasOpen(user, item);
    const side = this.#sideOf(event);
    // First: without the last one, the user's row learns again from what is drawn.
    if (side === AGAINST) this.#lessons.countExposure(-1);
    this.#takeOut(user, item, side, inItem ? weight : 0);
    this.#isDue ||= side !== NOTHING;
    // Many of one pair may go together: the user's row learns what remains once.
    if (more || !this.#isDue) return;
    this.#isDue = false;
    this.#lessons.begin();
    this.#relearn(user);
  }

  #sideOf({ kind, value, weight, exposure }: KindEvent): Side {
    return this.#trials.ofEvent(kind, value, weight, exposure);
  }

  #learn(user: number, item: number, side: Side, weight: number, isCounted: boolean): void {
    if (side === NOTHING) return;
    const undone = isCounted ? 0 : this.#undone(user, item, side);
    if (side === FOR && !isCounted) this.#lessons.count(item, 1);
    this.#lessons.learn(user, item, side, weight, undone);
    this.#place(item);
  }

  #takeBack(user: number, item: number, side: Side, weight: number, but?: number): void {
    if (side === NOTHING) return;
    this.#takeOut(user, item, side, weight, but);
    this.#relearn(user, but);
  }

  /** The item's row goes back a step, or begins anew when nothing speaks for it any more. `but`: as in `#relearn`. */
  #takeOut(user: number, item: number, side: Side, weight: number, but?: number): void {
    if (side === NOTHING) return;
    const undone = this.#undone(user, item, side, but);
    this.#lessons.unlearn(user, item, side, weight, undone);
    if (side === FOR && this.#lessons.count(item, -1) === 0) this.#context.reset('items', item);
    this.#place(item);
  }

  /** The user's row begins anew and learns what remains. `but`: an item whose rating is about to be replaced. */
  #relearn(user: number, but?: number): void {
    const { reset, config } = this.#context;
    reset('users', user);
    for (const trial of this.#trials.ofUser(user, config.relearn, but))
      this.#lessons.relearn(user, trial.item, trial.side, trial.weight);
  }

  #undone(user: number, item: number, side: Side, but?: number): number {
    return side === FOR && this.#lessons.hasExposures ? this.#trials.answered(user, item, but) : 0;
  }
}
