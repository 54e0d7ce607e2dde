import { fileURLToPath } from 'node:url';
import type { Ratings } from '../data.ts';
import { PythonPackages } from '../support/python.ts';

/** The library implicit in Python's process, on one thread: the peer that rankings after a refit are measured against. */

const VERSION = '0.7.3';
const implicit = new PythonPackages([`implicit==${VERSION}`], 'implicit');
const script = fileURLToPath(new URL('./implicit_models.py', import.meta.url));

export const IMPLICIT = `implicit ${VERSION}`;

export interface ImplicitFigures {
  readonly hitRate: number;
  readonly ndcg: number;
  /** CPU time of learning. */
  readonly seconds: number;
  /** Of what is held out, in the order of its ratings: from 0, -1 for a miss. */
  readonly places: readonly number[];
}

/** Installs implicit, once; why it cannot, or false. */
export const findMissingImplicit = (): string | false => implicit.findMissing();

/** Places of what each user who rated twice or more rated last. */
export function lastOfEach({ user, count }: Ratings): Set<number> {
  const last = new Map<number, number>();
  const counts = new Map<number, number>();
  for (let n = 0; n < count; n++) {
    last.set(user[n], n);
    counts.set(user[n], (counts.get(user[n]) ?? 0) + 1);
  }
  return new Set([...last].filter(([id]) => (counts.get(id) ?? 0) >= 2).map(([, place]) => place));
}

/**
 * Its models learn who rated what, the last of each user left out, which is then ranked: among all items that the user has not
 * rated, or beside some of them, by user.
 */
export function runImplicit(
  ratings: Ratings,
  beside: ReadonlyMap<number, readonly number[]> = new Map(),
): Readonly<Record<string, ImplicitFigures>> {
  const held = lastOfEach(ratings);
  const lines = Array.from(ratings.user, (user, n) => `${user}\t${ratings.item[n]}\t${held.has(n) ? 1 : 0}`);
  for (const [user, items] of beside) for (const item of items) lines.push(`${user}\t${item}\t2`);
  return implicit.run([script], { input: lines.join('\n') }) as Readonly<Record<string, ImplicitFigures>>;
}
