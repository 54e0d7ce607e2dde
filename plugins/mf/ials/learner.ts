import { type KindEvent, type LearnContext, type Learner, NO_ROW, type RatingEvent } from '../../contract/index.ts';
import type { MfConfig } from '../config.ts';
import { Trials } from '../feedback/trials.ts';
import type { MfKernels } from '../kernels.ts';
import type { MfTables } from '../tables.ts';
import { Rows } from './rows.ts';
import { weighingBy } from './weighing.ts';

type Context = LearnContext<MfConfig, MfTables, MfKernels>;

/**
 * Learns what users do, over all pairs of the users and the items that have positives (iALS: Hu, Koren & Volinsky 2008; the
 * weight of all pairs and the pull as in Rendle, Krichene, Zhang & Koren 2022). For positives n = (u, i) of weight w, with
 * x_n = <p_u, q_i>, k numbers each, n_u of them of user u, and m items:
 *
 *     L = sum_n w_n (1 - x_n)² + c sum_ui <p_u, q_i>² + sum_u l_u |p_u|² + sum_i l_i |q_i|²         l_u = l2 (n_u + c m)^e
 *     p_uf = (sum_n w_n q_if (1 - x_n + p_uf q_if) - c sum_g≠f S_fg p_ug) / (sum_n w_n q_if² + c S_ff + l_u)
 *
 * with S = sum_i q_i q_i', k x k, kept in step as vectors change (eALS: He, Zhang, Kan & Chua 2016); likewise q_i, of the
 * vectors and the S of users. The last line is where L is least in one number: so L falls with every step, as far as the latest
 * `history` positives of a row, which stand for all, are all. Numbers stay within -10 .. 10 (descent in a box), and l_u is above
 * 0, so no legal setting diverges.
 *
 * A positive sets the numbers of its user, and then those of its item. A retraction solves both rows from what remains, or takes
 * them back to their first values; what others learned through them stays, until a refit (`refit.ts`). Ranking: `fold.ts`.
 */
export class IalsLearner implements Learner {
  readonly #weighing: ReturnType<typeof weighingBy>;
  /** Whether one of the events that are taken back together counted. */
  #isDue = false;
  readonly #rows: Rows;

  constructor(context: Context) {
    this.#weighing = weighingBy(new Trials(context), context);
    this.#rows = new Rows(context, this.#weighing);
  }

  learn(event: RatingEvent): void {
    const { user, item, previous } = event;
    const weight = this.#weighing.rating(event);
    const wasOne = previous !== undefined && this.#weighing.rating(previous) > 0;
    if (weight > 0) this.#learn(user, item, weight, wasOne, true);
    else if (wasOne) this.#takeBack(user, item, true);
  }

  retract(event: RatingEvent): void {
    if (this.#weighing.rating(event) > 0) this.#takeBack(event.user, event.item, false);
  }

  learnEvent(event: KindEvent): void {
    const weight = this.#weighing.event(event);
    if (weight > 0) this.#learn(event.user, event.item, weight, false, false);
  }

  retractEvent(event: KindEvent): void {
    const { user, item, more } = event;
    if (this.#weighing.event(event) > 0) {
      this.#isDue = true;
      this.#takeOut(user, item);
    }
    // Many of one pair may go together: both rows are solved once.
    if (more || !this.#isDue) return;
    this.#isDue = false;
    this.#resolve(user, item, false);
  }

  #learn(user: number, item: number, weight: number, isCounted: boolean, replaces: boolean): void {
    const { users, items } = this.#rows;
    if (!isCounted) {
      this.#rows.count(users, user, 1);
      this.#rows.count(items, item, 1);
    }
    this.#rows.descend(users, user, item, weight, replaces ? item : NO_ROW);
    this.#rows.descend(items, item, user, weight, replaces ? user : NO_ROW);
    this.#rows.place(item);
  }

  /** `isListed`: as in `#resolve`. */
  #takeBack(user: number, item: number, isListed: boolean): void {
    this.#takeOut(user, item);
    this.#resolve(user, item, isListed);
  }

  #takeOut(user: number, item: number): void {
    this.#rows.count(this.#rows.users, user, -1);
    this.#rows.count(this.#rows.items, item, -1);
  }

  /** Both rows are solved from what remains; `isListed`: the rating is there still, and about to be replaced. */
  #resolve(user: number, item: number, isListed: boolean): void {
    const { users, items } = this.#rows;
    if (this.#rows.isCounted(users, user)) this.#rows.resolve(users, user, isListed ? item : NO_ROW);
    if (this.#rows.isCounted(items, item)) this.#rows.resolve(items, item, isListed ? user : NO_ROW);
    this.#rows.place(item);
  }
}
