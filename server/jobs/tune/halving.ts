/**
 * Successive halving (Jamieson & Talwalkar 2016; Li et al. 2018): all candidates are tried on little, the better third goes on
 * to three times as much, until few are tried on everything. The live settings take part in every rung.
 */

export interface Rung {
  /** Ratings that each candidate replays: the latest ones. */
  readonly events: number;
  /** Candidates besides the live settings. */
  readonly candidates: number;
}

/** Of which one goes on; and the events of a rung, times those of the one before. */
const SHARE = 3;
/** Fewer say little of settings. */
export const EVENTS_MIN = 1000;

/**
 * The rungs of a search by the latest `window` events, the last one by all of them, none of fewer than `least`: each takes about
 * the same work.
 */
export function planRungs(candidates: number, window: number, least = EVENTS_MIN): Rung[] {
  const rungs: Rung[] = [{ events: window, candidates }];
  while (rungs[0].events >= SHARE * least && (rungs.at(-1) as Rung).candidates > 1) {
    const left = Math.max(1, Math.floor((rungs.at(-1) as Rung).candidates / SHARE));
    rungs.push({ events: window, candidates: left });
    for (let n = 0; n < rungs.length - 1; n++) rungs[n] = { ...rungs[n], events: Math.floor(rungs[n].events / SHARE) };
  }
  return rungs;
}

/** Candidates by their losses, the best first; of equal ones the first. What is undefined failed and goes out. */
export function rank(losses: ReadonlyMap<number, number | undefined>): number[] {
  return [...losses]
    .filter((entry): entry is [number, number] => entry[1] !== undefined)
    .sort(([one, a], [other, b]) => a - b || one - other)
    .map(([candidate]) => candidate);
}
