/**
 * The known name with the fewest slips of a finger (a letter added, left out, changed, or two neighbours swapped) from
 * `name`, whatever their case; the first of several. `known` must not be empty.
 */
export function findNearest(name: string, known: readonly string[]): string {
  const wanted = name.toLowerCase();
  let nearest = known[0] ?? '';
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const slips = countSlips(wanted, candidate.toLowerCase());
    if (slips >= least) continue;
    least = slips;
    nearest = candidate;
  }
  return nearest;
}

/** `did you mean X? ` where a known name is likely meant; "" where none is near. */
export function didYouMean(name: string, known: readonly string[]): string {
  const nearest = findNearest(name, known);
  const slips = countSlips(name.toLowerCase(), nearest.toLowerCase());
  return slips <= nearest.length / 2 ? `did you mean ${nearest}? ` : '';
}

/** Optimal string alignment distance (Damerau 1964, restricted to neighbours), row by row. */
function countSlips(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1;
      let slips = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + change);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) slips = Math.min(slips, beforeLast[j - 2] + 1);
      row.push(slips);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length];
}
