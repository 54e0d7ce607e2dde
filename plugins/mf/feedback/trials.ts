import type { EventHistory, History, Rated } from '../../contract/index.ts';
import type { MfConfig } from '../config.ts';

/**
 * What there is to learn of users: trials, each for an item (`FOR`) or against it (`AGAINST`). For: ratings from the threshold
 * on, and events but exposures; with `kind` set, its events alone. Against, for `logistic` only: lower ratings, and exposures
 * that nothing came of. An event answers the latest exposure before it of its user to its item that is not answered yet; that
 * exposure is no trial any more.
 */

export const FOR = 1;
export const AGAINST = 0;
export const NOTHING = -1;
export type Side = typeof FOR | typeof AGAINST | typeof NOTHING;

export interface Trial {
  readonly item: number;
  side: Side;
  readonly weight: number;
}

interface Sources {
  readonly config: MfConfig;
  readonly history: History;
  readonly events: EventHistory;
}

export class Trials {
  readonly #config: MfConfig;
  readonly #history: History;
  readonly #events: EventHistory;
  /** Whether somebody may speak against an item. */
  readonly #twoSided: boolean;

  constructor({ config, history, events }: Sources) {
    this.#config = config;
    this.#history = history;
    this.#events = events;
    this.#twoSided = config.objective === 'logistic';
  }

  ofRating({ value, weight }: Pick<Rated, 'value' | 'weight'>): Side {
    const { kind, threshold } = this.#config.feedback;
    if (kind !== undefined || weight === 0) return NOTHING;
    if (value >= threshold) return FOR;
    return this.#twoSided ? AGAINST : NOTHING;
  }

  /** One that carries a value is the rating that it set, where ratings are learned. An exposure may be answered. */
  ofEvent(kind: string, value: number | undefined, weight: number, exposure: boolean): Side {
    const { kind: only } = this.#config.feedback;
    if (weight === 0) return NOTHING;
    if (exposure) return this.#twoSided ? AGAINST : NOTHING;
    if (only !== undefined) return kind === only ? FOR : NOTHING;
    return value === undefined || Number.isNaN(value) ? FOR : NOTHING;
  }

  /** The side of a live rating, if there is one, and of a live event. */
  ofRatingRow(row: number): Side {
    if (row >= this.#history.rows) return NOTHING;
    return this.ofRating({ value: this.#history.value(row), weight: this.#history.weight(row) });
  }

  ofEventRow(row: number): Side {
    const events = this.#events;
    return this.ofEvent(events.kind(row), events.value(row), events.weight(row), events.exposure(row));
  }

  /** The weight of the exposure that an event of a user with an item answers now; 0: there is none. `but` is as in `ofUser`. */
  answered(user: number, item: number, but?: number): number {
    const events = this.#events;
    const count = events.userCount(user);
    const rating = this.#history.find(user, item);
    let rated = item !== but && this.ofRatingRow(rating) === FOR ? this.#history.order(rating) : 0;
    let others = 0;
    for (let n = count - 1; n >= Math.max(0, count - this.#config.feedback.window); n--) {
      const row = events.ofUser(user, n);
      if (events.item(row) !== item) continue;
      if (events.order(row) < rated) {
        rated = 0;
        others++;
      }
      const side = this.ofEventRow(row);
      if (side === FOR) others++;
      else if (side === AGAINST && others-- === 0) return events.weight(row);
    }
    return 0;
  }

  /** Whether an exposure that is taken back was one that nothing had come of, by their numbers. */
  wasOpen(user: number, item: number): boolean {
    const events = this.#events;
    const count = events.userCount(user);
    let open = this.ofRatingRow(this.#history.find(user, item)) === FOR ? -1 : 0;
    for (let n = Math.max(0, count - this.#config.feedback.window); n < count; n++) {
      const row = events.ofUser(user, n);
      const side = events.item(row) === item ? this.ofEventRow(row) : NOTHING;
      if (side !== NOTHING) open += side === AGAINST ? 1 : -1;
    }
    return open >= 0;
  }

  /** All of a user, in order of arrival, the latest `most` of ratings and of events; the rating of item `but` is left out. */
  ofUser(user: number, most: number, but?: number): Trial[] {
    const [history, events] = [this.#history, this.#events];
    const open = new Map<number, Trial[]>();
    const trials: Trial[] = [];
    const add = (trial: Trial, exposure: boolean) => {
      if (trial.side === NOTHING) return;
      trials.push(trial);
      const shown = open.get(trial.item) ?? [];
      if (exposure) {
        shown.push(trial);
        open.set(trial.item, shown);
      } else if (trial.side === FOR) {
        const answered = shown.pop();
        if (answered) answered.side = NOTHING;
      }
    };
    const ratings = history.userCount(user);
    const count = events.userCount(user);
    let r = Math.max(0, ratings - most);
    let e = Math.max(0, count - most);
    while (r < ratings || e < count) {
      const rating = history.ofUser(user, r);
      const event = events.ofUser(user, e);
      if (e === count || (r < ratings && history.order(rating) < events.order(event))) {
        const item = history.item(rating);
        if (item !== but) add({ item, side: this.ofRatingRow(rating), weight: history.weight(rating) }, false);
        r++;
      } else {
        const trial = { item: events.item(event), side: this.ofEventRow(event), weight: events.weight(event) };
        add(trial, events.exposure(event));
        e++;
      }
    }
    return trials.filter(({ side }) => side !== NOTHING);
  }
}
