import type { Rating } from '../laws/lab.ts';

/** What ratings and events of kinds mean, in plain objects. */

/** What kinds weigh; `wish` is not configured. */
export const WEIGHTS: Readonly<Record<string, number>> = { click: 0.2, buy: 3, wish: 1 };
const HIDING = 'buy';

export interface Listed {
  readonly item: string;
  readonly kind: string;
  readonly value: number | undefined;
  readonly weight: number;
  readonly time: number;
}

interface Held extends Listed {
  readonly user: string;
  readonly serial: number;
}

export class Reference {
  ratings: Held[] = [];
  events: Held[] = [];
  #arrived = 0;

  takeAll(ratings: readonly Rating[]): this {
    for (const rating of ratings) this.take(rating);
    return this;
  }

  take(rating: Rating): void {
    const { user, item, kind = '', value, weight = 1, time = 0, retract } = rating;
    const ofPair = (held: Held) => held.user === user && held.item === item;
    if (retract && kind === '') this.ratings = this.ratings.filter((held) => !ofPair(held));
    else if (retract) {
      this.events = this.events.filter((held) => !ofPair(held) || held.kind !== kind);
      this.ratings = this.ratings.filter((held) => !ofPair(held) || held.kind !== kind);
    } else {
      const said = { user, item, kind, value, weight, time };
      const old = this.ratings.find(ofPair);
      if (value !== undefined && old) this.ratings[this.ratings.indexOf(old)] = { ...said, serial: old.serial };
      else if (value !== undefined) this.ratings.push({ ...said, serial: ++this.#arrived });
      if (kind !== '') this.events.push({ ...said, serial: ++this.#arrived });
    }
  }

  forget(user: string): void {
    this.ratings = this.ratings.filter((held) => held.user !== user);
    this.events = this.events.filter((held) => held.user !== user);
  }

  eventsOf(user: string): Held[] {
    return this.events.filter((held) => held.user === user);
  }

  hasSeen(user: string, item: string): boolean {
    const own = (held: Held) => held.user === user && held.item === item;
    return this.ratings.some(own) || this.events.some((held) => own(held) && held.kind === HIDING);
  }
}

/** A user's ratings and events, the latest arrival first: what an event set is listed as the event. */
export function listing({ ratings, events }: Reference, user: string): Listed[] {
  return [...ratings.filter(({ kind }) => kind === ''), ...events]
    .filter((held) => held.user === user)
    .sort((a, b) => b.serial - a.serial)
    .map(({ item, kind, value, weight, time }) => ({ item, kind, value, weight, time }));
}
