import { type Column, NO_ROW, type WritableAddress } from '../../contract/index.ts';
import { Draws } from '../draws.ts';
import { Listed } from '../listed.ts';
import { Met } from './met.ts';
import { type Objective, objectiveOf } from './objectives.ts';
import { sigmoid } from './sigmoid.ts';
import { type FeedbackContext, type Moves, Steps } from './steps.ts';
import { AGAINST, FOR, type Side, Trials } from './trials.ts';

/** Trials as lessons: what both learning and a refit do with one. */
export class Lessons {
  readonly trials: Trials;
  readonly draws: Draws;
  readonly #context: FeedbackContext;
  readonly #listed: Listed;
  readonly #met: Met;
  readonly #steps: Steps;
  readonly #objective: Objective;
  readonly #ratingsOf: Column<WritableAddress>;
  readonly #exposures: number;
  /** What `user` and its item change, and, where all learn, those drawn. */
  readonly #both: Moves;
  /** Whose marks `#met` has. */
  #metUser = NO_ROW;

  constructor(context: FeedbackContext, scope = context.config.feedback.scope) {
    const { config, tables, memory, random, touch } = context;
    this.#context = context;
    this.trials = new Trials(context);
    this.#listed = new Listed(tables, memory, touch);
    this.#ratingsOf = tables.items.column('ratings');
    this.#met = new Met(context, this.trials);
    this.draws = new Draws(
      { random, memory, listed: this.#listed, ratingsOf: this.#ratingsOf },
      {
        negatives: config.feedback.negatives,
        popular: config.objective === 'logistic' ? 0 : config.feedback.popular,
        chosen: (part) => this.#met.itemAt(part),
        isFree: (user, item) => !this.#met.has(user, item),
      },
    );
    this.#steps = new Steps(context);
    this.#objective = objectiveOf(config, () => this.#listed.count);
    this.#exposures = tables.counters.column('exposures')(0) >>> 2;
    this.#both = scope === 'full' ? 'drawn' : 'both';
  }

  /** Something was done, or taken back: what users had to do with is looked for anew, once for all lessons until the next. */
  begin(): void {
    this.#metUser = NO_ROW;
  }

  /** Counts an event that speaks for an item (by 1), or one that is taken back (by -1); returns how many do. */
  count(item: number, more: 1 | -1): number {
    if (more === 1) this.#listed.add(item);
    const at = this.#ratingsOf(item) >>> 2;
    this.#context.memory.u32[at] += more;
    return this.#context.memory.u32[at];
  }

  countExposure(more: 1 | -1): void {
    this.#context.memory.u32[this.#exposures] += more;
  }

  get hasExposures(): boolean {
    return this.#context.memory.u32[this.#exposures] > 0;
  }

  /** `undone`: the weight of the exposure that was learned, and that this answers. */
  learn(user: number, item: number, side: Side, weight: number, undone = 0): void {
    this.#meet(user, item, side, weight, undone);
    this.#steps.move(this.#both);
  }

  /** The row of the user learns again, and no other. */
  relearn(user: number, item: number, side: Side, weight: number): void {
    this.#meet(user, item, side, weight, 0);
    this.#steps.move('user');
  }

  /** The item's row goes back by the step that it would take now. */
  unlearn(user: number, item: number, side: Side, weight: number, undone = 0): void {
    this.#meet(user, item, side, weight, undone);
    this.#steps.back();
  }

  #meet(user: number, item: number, side: Side, weight: number, undone: number): void {
    const steps = this.#steps;
    steps.begin(user);
    const chance = sigmoid(steps.add(item));
    if (side === AGAINST) steps.errors[0] = -weight * chance;
    else if (side === FOR && this.#context.config.objective === 'logistic' && this.hasExposures)
      steps.errors[0] = weight * (1 - chance) + undone * chance;
    else {
      if (this.#metUser !== user) this.#met.begin(user);
      this.#metUser = user;
      this.draws.begin(user, item);
      this.#objective(steps, this.draws, weight);
    }
  }
}
