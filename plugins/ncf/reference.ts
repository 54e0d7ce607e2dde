/**
 * The network of `ncf` in plain doubles, for tests, and derivatives of whatever function by differences: nothing here knows
 * how to go back through a layer.
 */

export interface Network {
  readonly gmf: number;
  /** What the weights of products have above 1, and the weights of the tower's numbers. */
  readonly products: Float64Array;
  readonly numbers: Float64Array;
  /** W by its columns, what is added, A by its columns, B by its rows, each as one list. */
  readonly layers: readonly {
    readonly w: Float64Array;
    readonly b: Float64Array;
    readonly up: Float64Array;
    readonly down: Float64Array;
  }[];
}

export function say(p: Float64Array, q: Float64Array, { gmf, products, numbers, layers }: Network): number {
  let x = [...p.slice(gmf), ...q.slice(gmf)];
  for (const { w, b, up, down } of layers) {
    const [ins, outs] = [x.length, b.length];
    const entry = x;
    const inner = Array.from({ length: down.length / ins }, (_, j) => sum(ins, (i) => down[j * ins + i] * entry[i]));
    x = Array.from(b, (added, o) =>
      Math.max(
        0,
        added + sum(ins, (i) => w[i * outs + o] * entry[i]) + sum(inner.length, (j) => up[j * outs + o] * inner[j]),
      ),
    );
  }
  const top = x;
  return sum(gmf, (n) => (1 + products[n]) * p[n] * q[n]) + sum(top.length, (n) => numbers[n] * top[n]);
}

const STEP = 1e-6;

/** The gradient of a function by numbers that it reads, by central differences. */
export function gradientBy(numbers: Float64Array, value: () => number): Float64Array {
  return numbers.map((_, n) => {
    const kept = numbers[n];
    numbers[n] = kept + STEP;
    const above = value();
    numbers[n] = kept - STEP;
    const below = value();
    numbers[n] = kept;
    return (above - below) / (2 * STEP);
  });
}

function sum(count: number, term: (n: number) => number): number {
  let total = 0;
  for (let n = 0; n < count; n++) total += term(n);
  return total;
}
