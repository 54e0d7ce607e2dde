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
 * several propensities; and of places whose chi-square over all items is far off. What never came is not looked at one by one,
 * but the propensities of what came have to add up to 1 with it.
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
  const places = new Map<string, { chiSquare: number; cells: number; sum: number }>();
  for (const [key, { count, propensity }] of cells) {
    const expected = lists * propensity;
    const deviation = (count - expected) / Math.sqrt(expected * (1 - propensity) || 1);
    if (expected >= EXPECTED_MIN && Math.abs(deviation) > DEVIATIONS)
      found.push(`${key} came ${count} times, and ${expected.toFixed(1)} are expected`);
    const place = key.split(' at ')[1];
    const sums = places.get(place) ?? { chiSquare: 0, cells: 0, sum: 0 };
    sums.chiSquare += (count - expected) ** 2 / expected;
    sums.cells++;
    sums.sum += propensity;
    places.set(place, sums);
  }
  for (const [place, { chiSquare, cells: degrees, sum }] of places) {
    // Wilson & Hilferty 1931: the cube root of a chi-square is nearly normal.
    const spread = 2 / (9 * degrees);
    const normal = (Math.cbrt(chiSquare / degrees) - (1 - spread)) / Math.sqrt(spread);
    if (normal > DEVIATIONS)
      found.push(`place ${place} has a chi-square of ${chiSquare.toFixed(1)} for ${degrees} items`);
    if (sum > 1 + 1e-6) found.push(`the chances of place ${place} add up to ${sum}`);
  }
  return found;
}
