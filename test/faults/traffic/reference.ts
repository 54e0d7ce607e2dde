import type { Rating } from '../../../proto/gen/accrete/v1/rating.ts';

/** What ratings and events mean, in plain maps: what the server should hold after so many of them. */

/** Kinds of events that the traffic sends; they are to be configured. */
export const KINDS = { click: { weight: 0.5 }, buy: { weight: 2, hides: true } } as const;

interface Held {
  readonly rating: Rating;
  readonly serial: number;
}

interface User {
  /** By item. */
  readonly ratings: Map<string, Held>;
  /** By item and kind. */
  readonly events: Map<string, Held[]>;
}

export class Reference {
  readonly #users = new Map<string, User>();
  #arrived = 0;

  get userIds(): string[] {
    return [...this.#users.keys()];
  }

  take(rating: Rating): void {
    const { userId, itemId, kind, value, retract } = rating;
    const { ratings, events } = this.#obtain(userId);
    const old = ratings.get(itemId);
    const place = JSON.stringify([itemId, kind]);
    if (retract) {
      if (kind === '' || old?.rating.kind === kind) ratings.delete(itemId);
      events.delete(place);
      return;
    }
    if (value !== undefined) ratings.set(itemId, { rating, serial: old?.serial ?? ++this.#arrived });
    if (kind !== '') events.set(place, [...(events.get(place) ?? []), { rating, serial: ++this.#arrived }]);
  }

  forget(userId: string): void {
    this.#users.delete(userId);
  }

  /** As ListRatings tells it: the latest arrival first, and a rating that an event set as the event. */
  listing(userId: string): Rating[] {
    const { ratings, events } = this.#obtain(userId);
    return [...[...ratings.values()].filter(({ rating }) => rating.kind === ''), ...[...events.values()].flat()]
      .sort((one, other) => other.serial - one.serial)
      .map(({ rating }) => ({ ...rating, weight: rating.weight ?? 1, recommendationId: '' }));
  }

  #obtain(userId: string): User {
    const user = this.#users.get(userId) ?? { ratings: new Map(), events: new Map() };
    this.#users.set(userId, user);
    return user;
  }
}
