import type { Drawn, Field, Ticket } from '../field.ts';

/** Whether propensities are what they say: chances. */

/** Items with these scores. */
export function fieldOf(scores: readonly number[]): Field {
  const floats = Float32Array.from(scores);
  const best = Array.from(floats, (score, position) => ({ position, score }))
    .filter(({ score }) => score > Number.NEGATIVE_INFINITY)
    .sort((a, b) => b.score - a.score || a.position - b.position);
  return { scores: floats, best: (count) => best.slice(0, count), rowOf: (position) => position };
}

/** What is said of an item at its place. */
export interface Told extends Pick<Ticket, 'position'> {
  readonly propensity: number;
}

export const toldOf = (list: readonly Drawn[]): Told[] =>
  list.map(({ position, chance }) => ({ position, propensity: chance() }));

/** How far a count may be from what is expected of it, in standard deviations: once in 10^7 it is further. */
const DEVIATIONS = 5.3;
/** A cell with fewer expected counts says nothing by its deviation. */
const EXPECTED_MIN = 5;

/**
 * Draws lists, and tells of every item and place that came up another number of times than its propensity says, or with
 * several propensities; and of places whose chi-square is far off, over items that are expected often enough and over all others
 * together, those that never came among them (Cochran 1954).
 */
export function misfits(drawList: (n: number) => readonly Told[], lists: number): string[] {
  const cells = new Map<string, { count: number; propensity: number }>();
  const found: string[] = [];
  for (let n = 0; n < lists; n++) {
    for (const [place, { position, propensity }] of drawList(n).entries()) {
      const key = `${position} at ${place}`;
      const cell = cells.get(key) ?? { count: 0, propensity };
      if (cell.propensity !== propensity) found.push(`${key} has propensities ${cell.propensity} and ${propensity}`);
      cell.count++;
      cells.set(key, cell);
    }
  }
  const places = new Map<string, { chiSquare: number; cells: number; sum: number; often: number; rarely: number }>();
  for (const [key, { count, propensity }] of cells) {
    const expected = lists * propensity;
    const deviation = (count - expected) / Math.sqrt(expected * (1 - propensity) || 1);
    const isOften = expected >= EXPECTED_MIN;
    if (isOften && Math.abs(deviation) > DEVIATIONS)
      found.push(`${key} came ${count} times, and ${expected.toFixed(1)} are expected`);
    const place = key.split(' at ')[1];
    const sums = places.get(place) ?? { chiSquare: 0, cells: 0, sum: 0, often: 0, rarely: 0 };
    sums.sum += propensity;
    if (isOften) {
      sums.chiSquare += (count - expected) ** 2 / expected;
      sums.cells++;
      sums.often += propensity;
    } else sums.rarely += count;
    places.set(place, sums);
  }
  for (const [place, { chiSquare, cells: often, sum, often: share, rarely }] of places) {
    const rest = lists * Math.max(0, 1 - share);
    const [all, degrees] =
      rest >= EXPECTED_MIN ? [chiSquare + (rarely - rest) ** 2 / rest, often + 1] : [chiSquare, Math.max(1, often)];
    // Wilson & Hilferty 1931: the cube root of a chi-square is nearly normal.
    const spread = 2 / (9 * degrees);
    const normal = (Math.cbrt(all / degrees) - (1 - spread)) / Math.sqrt(spread);
    if (normal > DEVIATIONS) found.push(`place ${place} has a chi-square of ${all.toFixed(1)} for ${degrees} items`);
    if (sum > 1 + 1e-6) found.push(`the chances of place ${place} add up to ${sum}`);
  }
  return found;
}
