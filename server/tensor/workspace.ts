import {
  type Decomposition,
  type Elementwise,
  type Matrix,
  OPERATIONS_MAX,
  type TopItems,
  type Workspace,
} from '../../plugins/contract/index.ts';
import { decompose } from './decompose.ts';
import type { Answer, Arithmetic, Executor, Making, Operation, Question } from './operations.ts';
import { requireFit, requireShape } from './shape.ts';
import { solve } from './solve.ts';

/** From so many on what is asked goes to the device; before, it waits for company. */
const BATCH = 64;

/** A workspace over whatever does its operations: it checks shapes, and numbers matrices. */
export class RecordingWorkspace implements Workspace {
  readonly #executor: Executor;
  readonly #isHere: boolean;
  #waiting: Operation[] = [];
  #unsettled = 0;
  #count = 0;
  #failure: { readonly why: unknown } | undefined;
  /** Of `tidy`, the innermost last. */
  readonly #scopes: Set<Matrix>[] = [];

  /** `isHere`: the executor is this thread itself. */
  constructor(executor: Executor, isHere: boolean) {
    this.#executor = executor;
    this.#isHere = isHere;
  }

  /** What the executor failed with, if it did. */
  get failure(): unknown {
    return this.#failure?.why;
  }

  upload(values: Float32Array, rows: number, columns: number): Matrix {
    requireFit(values.length === rows * columns, `${values.length} numbers do not fit`, { rows, columns });
    // What is asked is done later, and elsewhere.
    return this.#make({ op: 'upload', values: Float32Array.from(values), rows, columns });
  }

  fill(rows: number, columns: number, value: number): Matrix {
    return this.#make({ op: 'fill', value, rows, columns });
  }

  matmul(a: Matrix, b: Matrix, how: { transposeA?: boolean; transposeB?: boolean } = {}): Matrix {
    const { transposeA = false, transposeB = false } = how;
    const [rows, inner] = transposeA ? [a.columns, a.rows] : [a.rows, a.columns];
    const [inside, columns] = transposeB ? [b.columns, b.rows] : [b.rows, b.columns];
    requireFit(inner === inside, `matmul (transposeA ${transposeA}, transposeB ${transposeB}) does not fit`, a, b);
    return this.#make({ op: 'matmul', a: idOf(a), b: idOf(b), transposeA, transposeB, rows, columns });
  }

  add(a: Matrix, b: Matrix): Matrix {
    return this.#arithmetic('add', a, b);
  }

  subtract(a: Matrix, b: Matrix): Matrix {
    return this.#arithmetic('subtract', a, b);
  }

  multiply(a: Matrix, b: Matrix): Matrix {
    return this.#arithmetic('multiply', a, b);
  }

  divide(a: Matrix, b: Matrix): Matrix {
    return this.#arithmetic('divide', a, b);
  }

  affine(a: Matrix, factor: number, offset = 0): Matrix {
    return this.#make({ op: 'affine', a: idOf(a), factor, offset, rows: a.rows, columns: a.columns });
  }

  apply(how: Elementwise, a: Matrix): Matrix {
    return this.#make({ op: 'apply', how, a: idOf(a), rows: a.rows, columns: a.columns });
  }

  sum(a: Matrix, over: 'rows' | 'columns'): Matrix {
    const [rows, columns] = over === 'rows' ? [1, a.columns] : [a.rows, 1];
    return this.#make({ op: 'sum', over, a: idOf(a), rows, columns });
  }

  gather(a: Matrix, rows: Uint32Array): Matrix {
    requireFit(
      rows.every((row) => row < a.rows),
      'gather names a row beyond the last of',
      a,
    );
    const chosen = Uint32Array.from(rows);
    return this.#make({ op: 'gather', a: idOf(a), chosen, rows: rows.length, columns: a.columns });
  }

  scatter(a: Matrix, rows: Uint32Array, count: number): Matrix {
    requireFit(
      rows.length === a.rows && rows.every((row) => row < count),
      `scatter over ${count} rows takes one number below that for each row of`,
      a,
    );
    return this.#make({
      op: 'scatter',
      a: idOf(a),
      chosen: Uint32Array.from(rows),
      rows: count,
      columns: a.columns,
    });
  }

  concat(a: Matrix, b: Matrix): Matrix {
    requireFit(a.rows === b.rows, 'concat takes matrices of as many rows', a, b);
    return this.#make({ op: 'concat', a: idOf(a), b: idOf(b), rows: a.rows, columns: a.columns + b.columns });
  }

  slice(a: Matrix, from: number, to: number): Matrix {
    requireFit(
      Number.isInteger(from) && from >= 0 && to <= a.columns,
      `slice [${from}, ${to}) goes beyond the columns of`,
      a,
    );
    return this.#make({ op: 'slice', a: idOf(a), from, rows: a.rows, columns: to - from });
  }

  gram(a: Matrix, ridge = 0): Matrix {
    return this.tidy(() => {
      const gram = this.matmul(a, a, { transposeA: true });
      return ridge === 0 ? gram : this.add(gram, this.#diagonal(a.columns, ridge));
    });
  }

  scoreBatch(queries: Matrix, items: Matrix, bias?: Matrix): Matrix {
    if (bias) requireFit(bias.rows === 1 && bias.columns === items.rows, 'a bias is one row over items', bias, items);
    return this.tidy(() => {
      const products = this.matmul(queries, items, { transposeB: true });
      return bias ? this.add(products, bias) : products;
    });
  }

  solve(a: Matrix, b: Matrix): Promise<Matrix> {
    return solve(this, a, b, this.#isHere);
  }

  svd(a: Matrix, rank: number): Promise<Decomposition> {
    return decompose(this, a, rank);
  }

  async topK(scores: Matrix, count: number): Promise<TopItems> {
    requireFit(count > 0 && count <= scores.columns, `the best ${count} are more than the columns of`, scores);
    return (await this.#ask({ what: 'top', matrix: idOf(scores), count })) as TopItems;
  }

  async read(a: Matrix): Promise<Float32Array> {
    return (await this.#ask({ what: 'values', matrix: idOf(a) })) as Float32Array;
  }

  async settle(): Promise<void> {
    await this.#ask({ what: 'nothing' });
  }

  free(...matrices: readonly Matrix[]): void {
    for (const matrix of matrices) {
      const id = idOf(matrix);
      (matrix as Numbered).id = FREED;
      for (const scope of this.#scopes) scope.delete(matrix);
      this.#enqueue({ op: 'free', matrix: id });
    }
  }

  tidy<T extends Matrix | readonly Matrix[] | undefined>(work: () => T): T {
    const made = new Set<Matrix>();
    this.#scopes.push(made);
    let kept: readonly Matrix[] = [];
    try {
      const result = work();
      kept = [result ?? []].flat() as readonly Matrix[];
      return result;
    } finally {
      this.#scopes.pop();
      for (const matrix of kept) if (made.delete(matrix)) this.#scopes.at(-1)?.add(matrix);
      this.free(...made);
    }
  }

  #arithmetic(how: Arithmetic, a: Matrix, b: Matrix): Matrix {
    const fits = (b.rows === a.rows || b.rows === 1) && (b.columns === a.columns || b.columns === 1);
    requireFit(fits, `${how} does not fit`, a, b);
    return this.#make({ op: 'arithmetic', how, a: idOf(a), b: idOf(b), rows: a.rows, columns: a.columns });
  }

  #diagonal(width: number, value: number): Matrix {
    const values = new Float32Array(width * width);
    for (let n = 0; n < width; n++) values[n * width + n] = value;
    return this.#make({ op: 'upload', values, rows: width, columns: width });
  }

  #make(making: Unnumbered<Making>): Matrix {
    const { rows, columns } = making;
    requireShape(rows, columns);
    const matrix = { id: this.#count++, rows, columns } satisfies Numbered;
    this.#enqueue({ ...making, out: matrix.id });
    this.#scopes.at(-1)?.add(matrix);
    return matrix;
  }

  #enqueue(operation: Operation): void {
    if (++this.#unsettled > OPERATIONS_MAX)
      throw new TypeError(
        `more than ${OPERATIONS_MAX} operations were asked for without waiting: settle() now and then`,
      );
    this.#waiting.push(operation);
    if (this.#waiting.length >= BATCH) void this.#send({ what: 'nothing' }).catch(() => {});
  }

  async #ask(question: Question): Promise<Answer> {
    const asked = this.#unsettled;
    const answer = await this.#send(question);
    this.#unsettled -= asked;
    return answer;
  }

  async #send(question: Question): Promise<Answer> {
    const operations = this.#waiting;
    this.#waiting = [];
    try {
      if (this.#failure) throw this.#failure.why;
      return await this.#executor.execute(operations, question);
    } catch (error) {
      this.#failure ??= { why: error };
      throw this.#failure.why;
    }
  }
}

type Unnumbered<T> = T extends unknown ? Omit<T, 'out'> : never;

interface Numbered extends Matrix {
  id: number;
}

const FREED = -1;

function idOf(matrix: Matrix): number {
  const { id } = matrix as Partial<Numbered>;
  if (id === undefined || id === FREED) throw new TypeError('a matrix was used that is freed, or of another workspace');
  return id;
}
