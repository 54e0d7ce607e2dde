/** ln Γ(x) for x above 0: Stirling's series, of an x that was moved up to where six terms of it are exact to 1e-15. */
export function logGamma(x: number): number {
  let shift = 0;
  let at = x;
  for (; at < 12; at++) shift += Math.log(at);
  const inverse = 1 / at;
  const square = inverse * inverse;
  const series = COEFFICIENTS.reduceRight((sum, coefficient) => sum * square + coefficient, 0) * inverse;
  return (at - 0.5) * Math.log(at) - at + Math.log(2 * Math.PI) / 2 + series - shift;
}

const COEFFICIENTS = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360];
