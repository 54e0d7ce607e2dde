import { type Elementwise, exp2, ln } from '../../plugins/contract/index.ts';
import type { Backend } from './backend.ts';
import { Multiplier, type Values } from './multiply.ts';
import type { Arithmetic, Making } from './operations.ts';
import { topOf } from './top.ts';

/** Matrices in this thread's memory: kernels for products, plain code for the rest. The same bits on every machine. */
export class CpuBackend implements Backend<Values> {
  readonly name = 'cpu';
  readonly adapter = process.arch;
  readonly accelerated = false;
  /** Made when it is needed: most jobs have no use for it. */
  #multiplier: Multiplier | undefined;
  #tensors = 0;

  get tensors(): number {
    return this.#tensors;
  }

  make(making: Making, a: Values | undefined, b: Values | undefined): Values {
    const { rows, columns } = making;
    const values = this.#compute(making, a as Values, b as Values);
    this.#tensors++;
    return { rows, columns, values };
  }

  async read({ values }: Values): Promise<Float32Array> {
    return values.slice();
  }

  async topK(scores: Values, count: number) {
    return topOf(scores, count);
  }

  free(): void {
    this.#tensors--;
  }

  #compute(making: Making, a: Values, b: Values): Float32Array {
    const { rows, columns } = making;
    switch (making.op) {
      case 'upload':
        return making.values;
      case 'fill':
        return new Float32Array(rows * columns).fill(making.value);
      case 'matmul':
        this.#multiplier ??= new Multiplier();
        return this.#multiplier.multiply(a, b, making.transposeA, making.transposeB);
      case 'arithmetic':
        return calculate(a, b, ARITHMETIC[making.how]);
      case 'affine':
        return a.values.map((value) => Math.fround(value * making.factor) + making.offset);
      case 'apply':
        return a.values.map(ELEMENTWISE[making.how]);
      case 'sum':
        return sum(a, making.over);
      case 'gather':
        return gather(a, making.chosen);
      case 'scatter':
        return scatter(a, making.chosen, rows);
      case 'concat':
        return sideBySide(a, b);
      case 'slice':
        return slice(a, making.from, columns);
    }
  }
}

const ARITHMETIC: { readonly [How in Arithmetic]: (a: number, b: number) => number } = {
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  divide: (a, b) => a / b,
};

/** Beyond it e^x is nothing, or infinite, in f32. */
const EXPONENT_MAX = 128;

function exp(x: number): number {
  const power = x * Math.LOG2E;
  if (Number.isNaN(power)) return power;
  return power > EXPONENT_MAX ? Number.POSITIVE_INFINITY : power < -2 * EXPONENT_MAX ? 0 : exp2(power);
}

const LEAST_NORMAL = 2 ** -126;

const ELEMENTWISE: { readonly [How in Elementwise]: (x: number) => number } = {
  relu: (x) => Math.max(0, x),
  step: (x) => (x > 0 ? 1 : 0),
  sigmoid: (x) => 1 / (1 + exp(-x)),
  tanh: (x) => 1 - 2 / (exp(2 * x) + 1),
  exp,
  // What is smaller than any normal f32 a device may take for 0.
  ln: (x) => (x >= LEAST_NORMAL && x < Number.POSITIVE_INFINITY ? ln(x) : x > 1 ? x : x < 0 ? Number.NaN : -Infinity),
  sqrt: Math.sqrt,
  square: (x) => x * x,
  abs: Math.abs,
};

function calculate(a: Values, b: Values, how: (a: number, b: number) => number): Float32Array {
  const { rows, columns } = a;
  const out = new Float32Array(rows * columns);
  const down = b.rows === 1 ? 0 : b.columns;
  const across = b.columns === 1 ? 0 : 1;
  for (let row = 0, at = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, at++)
      out[at] = how(a.values[at], b.values[row * down + column * across]);
  }
  return out;
}

function sum({ rows, columns, values }: Values, over: 'rows' | 'columns'): Float32Array {
  const sums = new Float64Array(over === 'rows' ? columns : rows);
  for (let row = 0, at = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, at++) sums[over === 'rows' ? column : row] += values[at];
  }
  return Float32Array.from(sums);
}

function gather({ columns, values }: Values, chosen: Uint32Array): Float32Array {
  const out = new Float32Array(chosen.length * columns);
  for (let n = 0; n < chosen.length; n++)
    out.set(values.subarray(chosen[n] * columns, (chosen[n] + 1) * columns), n * columns);
  return out;
}

function scatter({ columns, values }: Values, chosen: Uint32Array, rows: number): Float32Array {
  const out = new Float32Array(rows * columns);
  for (let n = 0, at = 0; n < chosen.length; n++) {
    for (let column = 0; column < columns; column++, at++) out[chosen[n] * columns + column] += values[at];
  }
  return out;
}

function sideBySide(a: Values, b: Values): Float32Array {
  const columns = a.columns + b.columns;
  const out = new Float32Array(a.rows * columns);
  for (let row = 0; row < a.rows; row++) {
    out.set(a.values.subarray(row * a.columns, (row + 1) * a.columns), row * columns);
    out.set(b.values.subarray(row * b.columns, (row + 1) * b.columns), row * columns + a.columns);
  }
  return out;
}

function slice(a: Values, from: number, columns: number): Float32Array {
  const out = new Float32Array(a.rows * columns);
  for (let row = 0; row < a.rows; row++) {
    const start = row * a.columns + from;
    out.set(a.values.subarray(start, start + columns), row * columns);
  }
  return out;
}
