/** The median of a rating whose mean is expected to be y, in 1..5: y + w · (1, s, s² - 1/2, s³), s = y - 3.5. */

/** A step of w, in stars. */
const RATE = 0.002;
const MIDDLE = 3.5;

export function median(expected: number, doubles: { readonly [index: number]: number }, at: number): number {
  const s = expected - MIDDLE;
  return expected + doubles[at] + doubles[at + 1] * s + doubles[at + 2] * (s * s - 0.5) + doubles[at + 3] * s * s * s;
}

/** Downhill on the absolute error, by one rating. */
export function learnMedian(value: number, expected: number, weight: number, doubles: Float64Array, at: number): void {
  const s = expected - MIDDLE;
  const step = RATE * weight * Math.sign(value - median(expected, doubles, at));
  doubles[at] += step;
  doubles[at + 1] += step * s;
  doubles[at + 2] += step * (s * s - 0.5);
  doubles[at + 3] += step * s * s * s;
}
