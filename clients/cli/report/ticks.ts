/** Round numbers (1, 2 or 5 by a power of ten apart) that lie from `low` to `high`: about so many, and their digits. */
export function ticksOf(low: number, high: number, about: number): { values: number[]; digits: number } {
  const least = (high - low) / about;
  if (!(least > 0)) return { values: [low], digits: 4 };
  const power = 10 ** Math.floor(Math.log10(least));
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= least * (1 - 1e-9)) ?? 10 * power;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  const values = Array.from({ length: last - first + 1 }, (_, n) => (first + n) * step);
  return { values, digits: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) };
}
