/** The standard normal distribution. */

/** Φ, by the continued fraction and the series of the error function (Abramowitz & Stegun 1964, 26.2.11 and 26.2.14). */
export function normalCdf(z: number): number {
  const x = Math.abs(z);
  const density = Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
  if (x > 3) {
    let fraction = 0;
    for (let n = 60; n > 0; n--) fraction = n / (x + fraction);
    const tail = density / (x + fraction);
    return z > 0 ? 1 - tail : tail;
  }
  let [term, sum] = [x, x];
  for (let n = 3; term > 1e-17 * sum; n += 2) {
    term *= (x * x) / n;
    sum += term;
  }
  return 0.5 + Math.sign(z) * density * sum;
}

/** The z with Φ(z) = p, for p above 0 and below 1. */
export function normalQuantile(p: number): number {
  let [low, high] = [-40, 40];
  for (let n = 0; n < 60; n++) {
    const middle = (low + high) / 2;
    if (normalCdf(middle) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
