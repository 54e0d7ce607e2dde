/**
 * How soon a model is as good again as it can be. Of a window of ratings after the shift, with the model's squared errors e,
 * those r of a model for which it has always been so, and those s of one that does not hear of the shift (it learned the
 * ratings as they would have been without it):
 *
 *     left = sum (e - r) / sum (s - r)         1: nothing of the lost accuracy is recovered, 0: all of it is
 *
 * All three are of the same ratings, so what makes a stretch hard, or less of it shifted, cancels out.
 */
export interface Errors {
  readonly model: Float64Array;
  readonly always: Float64Array;
  readonly never: Float64Array;
}

const WINDOW = 2000;
const STEP = 100;

/** Ratings from the shift to the middle of the first window in which no more than `left` is left; to the end, if never. */
export function ratingsUntil({ model, always, never }: Errors, position: number, left: number): number {
  const lost = sums(model, always);
  const all = sums(never, always);
  for (let from = position; from + WINDOW <= model.length; from += STEP) {
    const over = (of: Float64Array) => of[from + WINDOW] - of[from];
    if (over(lost) <= left * over(all)) return from - position + WINDOW / 2;
  }
  return model.length - position;
}

/** Squared error that was lost since the shift, by rating. */
export function lossOf({ model, always }: Errors, position: number): number {
  const lost = sums(model, always);
  return (lost[model.length] - lost[position]) / (model.length - position);
}

/** Of the first n differences, for every n. */
function sums(one: Float64Array, other: Float64Array): Float64Array {
  const totals = new Float64Array(one.length + 1);
  for (let n = 0; n < one.length; n++) totals[n + 1] = totals[n] + one[n] - other[n];
  return totals;
}
