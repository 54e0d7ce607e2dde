import { z } from 'zod';

/**
 * Which records a model has learned, and of which store: so that what two models have in common is known, wherever they are.
 * A store is called by a random number that it got when it began. One that was imported is another one from there on.
 */

/** The store that a journal was of after one of its records. */
export interface StoreName {
  readonly id: string;
  readonly after: number;
}

/** The records of a store after `after`, up to `to`. */
export interface Stretch {
  readonly store: string;
  readonly after: number;
  readonly to: number;
}

/** Of the stores of one model. */
export const STRETCHES_MAX = 64;

const revision = z.int().min(0);
const id = z.string().regex(/^[0-9a-f-]{1,64}$/);
const stretches = z.array(z.strictObject({ store: id, after: revision, to: revision })).max(STRETCHES_MAX);

/** What was learned by a record, of all the stores that a journal was of. */
export function stretchesUpTo(stores: readonly StoreName[], last: number): Stretch[] {
  return stores
    .map(({ id: store, after }, n) => ({ store, after, to: Math.min(last, stores[n + 1]?.after ?? last) }))
    .filter(({ after, to }) => to > after);
}

/** The last record that both have, as `one` numbers them; 0: they have none in common. */
export function sharedUpTo(one: readonly Stretch[], other: readonly Stretch[]): number {
  return one.reduce((last, { store, after, to }) => {
    const same = other.find((each) => each.store === store);
    const end = same ? Math.min(to, same.to) : 0;
    return end > after ? Math.max(last, end) : last;
  }, 0);
}

/** Undefined: it is not what `JSON.stringify` makes of stretches. */
export function findStretches(value: unknown): readonly Stretch[] | undefined {
  const parsed = stretches.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}
