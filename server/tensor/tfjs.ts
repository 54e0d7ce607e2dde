import type { Elementwise, TopItems } from '../../plugins/contract/index.ts';
import type { Backend } from './backend.ts';
import type { Arithmetic, Making } from './operations.ts';

/** What of TensorFlow.js is used. It is an optional peer, so its own types are not there. */
export interface Tfjs {
  getBackend(): string;
  setBackend(name: string): Promise<boolean>;
  ready(): Promise<void>;
  enableProdMode(): void;
  memory(): { readonly numTensors: number };
  tidy<T>(work: () => T): T;
  backend(): unknown;
  tensor2d(values: Float32Array, shape: readonly [number, number], type: 'float32'): Tensor;
  tensor1d(values: Int32Array, type: 'int32'): Tensor;
  scalar(value: number): Tensor;
  fill(shape: readonly [number, number], value: number): Tensor;
  matMul(a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean): Tensor;
  sum(a: Tensor, axis: number, keepDimensions: boolean): Tensor;
  gather(a: Tensor, rows: Tensor): Tensor;
  unsortedSegmentSum(a: Tensor, rows: Tensor, count: number): Tensor;
  concat(tensors: readonly Tensor[], axis: number): Tensor;
  slice(a: Tensor, begin: readonly [number, number], size: readonly [number, number]): Tensor;
  topk(a: Tensor, count: number, sorted: boolean): { readonly values: Tensor; readonly indices: Tensor };
  readonly add: Binary;
  readonly sub: Binary;
  readonly mul: Binary;
  readonly div: Binary;
  readonly relu: Unary;
  readonly step: Unary;
  readonly sigmoid: Unary;
  readonly tanh: Unary;
  readonly exp: Unary;
  readonly log: Unary;
  readonly sqrt: Unary;
  readonly square: Unary;
  readonly abs: Unary;
}

export interface Tensor {
  dispose(): void;
  data(): Promise<ArrayLike<number>>;
}

type Unary = (a: Tensor) => Tensor;
type Binary = (a: Tensor, b: Tensor) => Tensor;

const ARITHMETIC = { add: 'add', subtract: 'sub', multiply: 'mul', divide: 'div' } as const satisfies Record<
  Arithmetic,
  keyof Tfjs
>;

const ELEMENTWISE = {
  relu: 'relu',
  step: 'step',
  sigmoid: 'sigmoid',
  tanh: 'tanh',
  exp: 'exp',
  ln: 'log',
  sqrt: 'sqrt',
  square: 'square',
  abs: 'abs',
} as const satisfies Record<Elementwise, keyof Tfjs>;

/** Matrices as tensors of TensorFlow.js, on whichever of its backends was opened. */
export class TfjsBackend implements Backend<Tensor> {
  readonly name: 'tensorflow' | 'webgpu';
  readonly adapter: string;
  readonly accelerated: boolean;
  readonly lost: Promise<string> | undefined;
  readonly #tf: Tfjs;

  constructor(tf: Tfjs, what: Pick<Backend, 'adapter' | 'accelerated' | 'lost'> & { name: 'tensorflow' | 'webgpu' }) {
    this.#tf = tf;
    this.name = what.name;
    this.adapter = what.adapter;
    this.accelerated = what.accelerated;
    this.lost = what.lost;
    tf.enableProdMode();
  }

  get tensors(): number {
    return this.#tf.memory().numTensors;
  }

  make(making: Making, a: Tensor | undefined, b: Tensor | undefined): Tensor {
    return this.#tf.tidy(() => this.#compute(making, a as Tensor, b as Tensor));
  }

  async read(tensor: Tensor): Promise<Float32Array> {
    return Float32Array.from(await tensor.data());
  }

  async topK(scores: Tensor, count: number): Promise<TopItems> {
    const { values, indices } = this.#tf.topk(scores, count, true);
    try {
      const [found, best] = await Promise.all([indices.data(), values.data()]);
      return { items: Uint32Array.from(found), scores: Float32Array.from(best) };
    } finally {
      values.dispose();
      indices.dispose();
    }
  }

  free(tensor: Tensor): void {
    tensor.dispose();
  }

  #compute(making: Making, a: Tensor, b: Tensor): Tensor {
    const tf = this.#tf;
    const { rows, columns } = making;
    const numbers = (chosen: Uint32Array) => tf.tensor1d(Int32Array.from(chosen), 'int32');
    switch (making.op) {
      case 'upload':
        return tf.tensor2d(making.values, [rows, columns], 'float32');
      case 'fill':
        return tf.fill([rows, columns], making.value);
      case 'matmul':
        return tf.matMul(a, b, making.transposeA, making.transposeB);
      case 'arithmetic':
        return tf[ARITHMETIC[making.how]](a, b);
      case 'affine':
        return tf.add(tf.mul(a, tf.scalar(making.factor)), tf.scalar(making.offset));
      case 'apply':
        return tf[ELEMENTWISE[making.how]](a);
      case 'sum':
        return tf.sum(a, making.over === 'rows' ? 0 : 1, true);
      case 'gather':
        return tf.gather(a, numbers(making.chosen));
      case 'scatter':
        return tf.unsortedSegmentSum(a, numbers(making.chosen), rows);
      case 'concat':
        return tf.concat([a, b], 1);
      case 'slice':
        return tf.slice(a, [0, making.from], [rows, columns]);
    }
  }
}
