import type { Bounds } from './boundary.ts';
import { normalQuantile } from './normal.ts';

/**
 * The ratio of two sums over units, and its 95% interval, of one look. Few units that count for much make the sums skew: what
 * was missed by chance is more than what was met too often. So the interval is that of Hall 1992, "On the removal of skewness
 * by transformation" (his g2, which is monotone): T = (R - truth)/s is taken through T + kT² + k²T³/3 + k/2 with
 * k = Σe³/(3 (Σe²)^1.5), of the deviations e = numerator - R × denominator of the units.
 */
export function skewedRatio(
  numerators: Float64Array,
  denominators: Float64Array,
): { readonly value: number; readonly bounds: Bounds | undefined } {
  const [sum, count] = [total(numerators), total(denominators)];
  const value = sum / count;
  const units = numerators.length;
  if (units < 2 || !(count > 0)) return { value, bounds: undefined };
  let [squares, cubes] = [0, 0];
  for (let unit = 0; unit < units; unit++) {
    const e = numerators[unit] - value * denominators[unit];
    squares += e * e;
    cubes += e * e * e;
  }
  if (squares === 0) return { value, bounds: undefined };
  const deviation = Math.sqrt((units / (units - 1)) * squares) / count;
  const k = cubes / squares ** 1.5 / 3;
  return {
    value,
    bounds: { lower: value - deviation * untransformed(Z, k), upper: value - deviation * untransformed(-Z, k) },
  };
}

const Z = normalQuantile(0.975);

/** The T of which T + kT² + k²T³/3 + k/2 is x: since that is ((1 + kT)³ - 1)/(3k) + k/2. */
function untransformed(x: number, k: number): number {
  return Math.abs(k) < 1e-9 ? x : (Math.cbrt(1 + 3 * k * (x - k / 2)) - 1) / k;
}

const total = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0);
