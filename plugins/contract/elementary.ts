/**
 * Elementary functions by plain arithmetic, the same bits on every machine: `Math.log`, `exp` and `pow` differ between
 * engines. Accurate to about 1e-15.
 */

const double = new Float64Array(1);
/** The halves of `double`: the upper one holds sign, exponent and the top of the mantissa. */
const halves = new Uint32Array(double.buffer);
const BIAS = 1023;

/** ln x, for positive normal x. */
export function ln(x: number): number {
  const exponent = exponentOf(x);
  const mantissa = x * powerOfTwo(-exponent);
  // Around 1, where the series is short: within [2/3, 4/3].
  return mantissa > 4 / 3
    ? (exponent + 1) * Math.LN2 + lnNearOne(mantissa / 2)
    : exponent * Math.LN2 + lnNearOne(mantissa);
}

/** 2^x, for x from -1022 to 1023. */
export function exp2(x: number): number {
  const whole = Math.floor(x + 0.5);
  const power = (x - whole) * Math.LN2;
  let sum = 1;
  for (let n = 14; n > 0; n--) sum = 1 + (sum * power) / n;
  return sum * powerOfTwo(whole);
}

/** 2^n, for whole n up to 1,023; 0 for n below -1,022. */
export function powerOfTwo(n: number): number {
  if (n < 1 - BIAS) return 0;
  halves[0] = 0;
  halves[1] = (n + BIAS) << 20;
  return double[0];
}

/** The largest whole n with 2^n <= x, for positive normal x. */
export function exponentOf(x: number): number {
  double[0] = x;
  return (halves[1] >>> 20) - BIAS;
}

/** ln x = 2 artanh z = 2 (z + z³/3 + z⁵/5 + …), z = (x - 1)/(x + 1). */
function lnNearOne(x: number): number {
  const z = (x - 1) / (x + 1);
  let sum = 0;
  for (let n = 25; n > 0; n -= 2) sum = sum * z * z + 1 / n;
  return 2 * z * sum;
}
