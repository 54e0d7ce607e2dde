import type { WritableWorld } from '../../memory/world.ts';
import type { WritableModel } from '../../models/writable-model.ts';
import type { Lesson } from '../../teaching/lessons.ts';

/** What one model said of ratings. */
export interface ModelAnswers {
  /** Rating less prediction, on the deployment's scale, the prediction clipped to it; NaN where none is given. */
  readonly error: number[];
  /** The place of the item from 1, or RANK_MISS; NOT_RANKED where nobody was asked. */
  readonly rank: number[];
}

export const NOT_RANKED = 0;

/** Whom to ask. */
export interface Examinees {
  readonly world: WritableWorld;
  readonly models: readonly WritableModel[];
  /** What each of them expected of the lesson that was taught last. */
  readonly predictions: () => ArrayLike<number>;
  /** Whether they are asked to rank a first rating of this user. */
  readonly ranks: (user: number) => boolean;
  /** The place of an item, from 1; before the lesson is taught. */
  readonly rank: (model: WritableModel, user: number, item: number, time: number) => number;
}

/** Notes what models say of first ratings: asked before a lesson is taught, told the rest when it was. */
export class AnswerSheet {
  readonly #examinees: Examinees;
  /** Rows of the world. */
  readonly #user: number[] = [];
  readonly #item: number[] = [];
  /** Which rating each answer is of: another one of the same pair has another number. */
  readonly #serial: number[] = [];
  readonly #said: readonly ModelAnswers[];
  /** That under way, if it is a first rating. */
  #lesson: Lesson | undefined;

  constructor(examinees: Examinees) {
    this.#examinees = examinees;
    this.#said = examinees.models.map(() => ({ error: [], rank: [] }));
  }

  /** Before a lesson is taught. */
  ask(lesson: Lesson): true {
    const { world, models, ranks, rank } = this.#examinees;
    const { users, items, interactions } = world;
    const [user, item] = [users.find(lesson.user), items.find(lesson.item)];
    const isRated = user >= 0 && item >= 0 && interactions.find(user, item) >= 0;
    this.#lesson = lesson.retract || Number.isNaN(lesson.value) || isRated ? undefined : lesson;
    if (!this.#lesson) return true;
    const time = lesson.seconds + lesson.nanos * 1e-9;
    const isRanked = ranks(user);
    for (const [m, model] of models.entries())
      this.#said[m].rank.push(isRanked ? rank(model, user, item, time) : NOT_RANKED);
    return true;
  }

  /** When it was taught: what was expected of it before, and where it is. */
  note(): void {
    if (!this.#lesson) return;
    const { world, models, predictions } = this.#examinees;
    const { users, items, interactions } = world;
    const { value, ...ids } = this.#lesson;
    const [user, item] = [users.find(ids.user), items.find(ids.item)];
    const expected = predictions();
    for (let m = 0; m < models.length; m++) this.#said[m].error.push(value - expected[m]);
    this.#user.push(user);
    this.#item.push(item);
    this.#serial.push(interactions.serial(interactions.find(user, item)));
    this.#lesson = undefined;
  }

  /** Of the ratings that are live now: their users, and what each model said. */
  get answers(): { readonly user: number[]; readonly said: readonly ModelAnswers[] } {
    const { interactions } = this.#examinees.world;
    const stands = (n: number) => {
      const row = interactions.find(this.#user[n], this.#item[n]);
      return row >= 0 && interactions.serial(row) === this.#serial[n];
    };
    const standing = Array.from(this.#user.keys()).filter(stands);
    const of = (numbers: readonly number[]) => standing.map((n) => numbers[n]);
    return { user: of(this.#user), said: this.#said.map(({ error, rank }) => ({ error: of(error), rank: of(rank) })) };
  }
}
