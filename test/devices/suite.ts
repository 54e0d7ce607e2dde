import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import {
  type Device,
  type Elementwise,
  type Matrix,
  OPERATIONS_MAX,
  type Workspace,
} from '../../plugins/contract/index.ts';
import type { DeviceMeter } from '../../server/tensor/device-meter.ts';
import { definite, drawn, Plain } from './matrices.ts';
import { train, trainPlain } from './tower.ts';

/** What every device has to do alike: one suite, called once for each. */

export interface Subject {
  readonly device: Device;
  readonly meter: DeviceMeter;
  /** What a device with 1 MiB for all its matrices is. */
  readonly small: Device;
  readonly smallMeter: DeviceMeter;
  /** Of 10,000 calls of the test for leaks, every how many multiplies: software that plays a card takes .1 s for that. */
  readonly multiplyEvery: number;
  /** Of functions that drivers only approximate, relative to 1 or the value: WebGPU allows e^x and the like 2^-12 or so. */
  readonly functionError: number;
}

const CALLS = 10_000;
/** Of sums of products, relative to the lengths of the vectors: f32, in whatever order. */
const SUM_ERROR = 1e-5;
const ODD_SHAPES = [
  [1, 1, 1],
  [3, 5, 2],
  [7, 13, 9],
  [65, 33, 130],
  [2, 600, 3],
] as const;

export function deviceSuite(name: string, make: (t: TestContext) => Promise<Subject>): void {
  const on = <T>(t: TestContext, work: (workspace: Workspace) => Promise<T>) =>
    make(t).then(({ device }) => device.run(work));

  test(`${name}: products, transposed or not, are those of f64 within ${SUM_ERROR} of the lengths`, (t) =>
    on(t, async (on) => {
      for (const [rows, inner, columns] of ODD_SHAPES) {
        const [a, b] = [drawn(rows, inner, 1), drawn(inner, columns, 2)];
        const expected = a.times(b);
        for (const [transposeA, transposeB] of [
          [false, false],
          [true, false],
          [false, true],
          [true, true],
        ]) {
          const [left, right] = [transposeA ? a.transposed : a, transposeB ? b.transposed : b];
          const product = on.matmul(left.on(on), right.on(on), { transposeA, transposeB });
          near(await on.read(product), expected, SUM_ERROR * inner);
        }
      }
    }));

  test(`${name}: arithmetic repeats one row, one column, or both`, (t) =>
    on(t, async (on) => {
      const a = drawn(5, 7, 3);
      for (const b of [drawn(5, 7, 4), drawn(1, 7, 5), drawn(5, 1, 6), drawn(1, 1, 7)]) {
        const away = b.map((value) => value + 3 * Math.sign(value));
        const [left, right] = [a.on(on), away.on(on)];
        near(
          await on.read(on.add(left, right)),
          a.with(away, (x, y) => x + y),
          SUM_ERROR,
        );
        near(
          await on.read(on.subtract(left, right)),
          a.with(away, (x, y) => x - y),
          SUM_ERROR,
        );
        near(
          await on.read(on.multiply(left, right)),
          a.with(away, (x, y) => x * y),
          SUM_ERROR,
        );
        near(
          await on.read(on.divide(left, right)),
          a.with(away, (x, y) => x / y),
          SUM_ERROR,
        );
      }
      near(
        await on.read(on.affine(a.on(on), -2, 0.5)),
        a.map((value) => 0.5 - 2 * value),
        SUM_ERROR,
      );
    }));

  test(`${name}: functions of each number`, async (t) => {
    const { device, functionError } = await make(t);
    await device.run(async (on) => {
      const a = drawn(4, 33, 8).map((value) => 6 * value);
      const functions: Record<Elementwise, (x: number) => number> = {
        relu: (x) => Math.max(0, x),
        step: (x) => (x > 0 ? 1 : 0),
        sigmoid: (x) => 1 / (1 + Math.exp(-x)),
        tanh: Math.tanh,
        exp: Math.exp,
        ln: (x) => Math.log(Math.abs(x) + 0.1),
        sqrt: (x) => Math.sqrt(Math.abs(x) + 0.1),
        square: (x) => x * x,
        abs: Math.abs,
      };
      for (const [how, expected] of Object.entries(functions) as [Elementwise, (x: number) => number][]) {
        const isOfPositive = how === 'ln' || how === 'sqrt';
        const given = isOfPositive ? on.affine(on.apply('abs', a.on(on)), 1, 0.1) : a.on(on);
        near(await on.read(on.apply(how, given)), a.map(expected), functionError, how);
      }
      const edges = new Plain(1, 4, (_, n) => [-200, 0, 200, -0][n]);
      const sigmoid = await on.read(on.apply('sigmoid', edges.on(on)));
      near(sigmoid, new Plain(1, 4, (_, n) => [0, 0.5, 1, 0.5][n]), functionError, 'sigmoid at its ends');
      near(await on.read(on.apply('step', edges.on(on))), new Plain(1, 4, (_, n) => [0, 0, 1, 0][n]), 0, 'step at 0');
    });
  });

  test(`${name}: sums, rows by number and back, columns`, (t) =>
    on(t, async (on) => {
      const [a, b] = [drawn(37, 9, 9), drawn(37, 3, 10)];
      const [left, right] = [a.on(on), b.on(on)];
      near(await on.read(on.sum(left, 'rows')), a.columnSums, SUM_ERROR * 37);
      near(await on.read(on.sum(left, 'columns')), a.rowSums, SUM_ERROR * 9);
      const rows = Uint32Array.of(5, 0, 36, 5);
      const chosen = new Plain(4, 9, (row, column) => a.at(rows[row], column));
      near(await on.read(on.gather(left, rows)), chosen, 0);
      const back = new Plain(37, 9, (row, column) => (row === 5 ? 2 : rows.includes(row) ? 1 : 0) * a.at(row, column));
      near(await on.read(on.scatter(chosen.on(on), rows, 37)), back, SUM_ERROR);
      const both = new Plain(37, 12, (row, column) => (column < 9 ? a.at(row, column) : b.at(row, column - 9)));
      near(await on.read(on.concat(left, right)), both, 0);
      const part = new Plain(37, 4, (row, column) => a.at(row, column + 3));
      near(await on.read(on.slice(left, 3, 7)), part, 0);
      near(await on.read(on.fill(2, 3, 1.5)), new Plain(2, 3, () => 1.5), 0);
    }));

  test(`${name}: scores within ${SUM_ERROR} of the lengths, and the best but for ties within that`, (t) =>
    on(t, async (on) => {
      const [width, count] = [16, 10];
      const [queries, items, bias] = [drawn(5, width, 11), drawn(211, width, 12), drawn(1, 211, 13)];
      const expected = queries.times(items.transposed).with(bias, (x, y) => x + y);
      const scores = on.scoreBatch(queries.on(on), items.on(on), bias.on(on));
      near(await on.read(scores), expected, SUM_ERROR * width);
      const top = await on.topK(scores, count);
      for (let row = 0; row < 5; row++) {
        const own = [...expected.values.subarray(row * 211, (row + 1) * 211)];
        const best = own.toSorted((x, y) => y - x).slice(0, count);
        const found = [...top.items.subarray(row * count, (row + 1) * count)];
        assert.equal(new Set(found).size, count, 'no item twice');
        found.forEach((item, n) => {
          close(own[item], best[n], SUM_ERROR * width, `place ${n} of row ${row}`);
          close(top.scores[row * count + n], best[n], SUM_ERROR * width, `score ${n} of row ${row}`);
        });
      }
      const ties = await on.topK(new Plain(1, 6, (_, n) => [1, 2, 2, 0, 2, 1][n]).on(on), 6);
      assert.deepEqual([...ties.scores], [2, 2, 2, 1, 1, 0]);
      assert.deepEqual([...ties.items].toSorted(), [0, 1, 2, 3, 4, 5]);
    }));

  test(`${name}: Gram matrices and systems of equations, small and large`, async (t) => {
    const { device, meter } = await make(t);
    await device.run(async (on) => {
      const half = drawn(50, 6, 14);
      const ridged = half.transposed.times(half).map((value, row, column) => value + (row === column ? 0.5 : 0));
      near(await on.read(on.gram(half.on(on), 0.5)), ridged, SUM_ERROR * 50);
      for (const width of [1, 5, 40, 140]) {
        const [a, x] = [definite(width, width / 4, 15), drawn(width, 3, 16)];
        const [left, right] = [a.on(on), a.times(x).on(on)];
        await on.settle();
        const before = meter.get('uploadedBytes');
        const solved = await on.solve(left, right);
        near(await on.read(solved), x, 1e-3, `width ${width}`);
        // What is solved on the processor comes from there; what is inverted needs a matrix of its size.
        const isInverted = device.name !== 'cpu' && width > 128;
        assert.equal(meter.get('uploadedBytes') - before, 4 * width * (isInverted ? width : 3), `width ${width}`);
      }
    });
  });

  test(`${name}: what f32 cannot invert is solved in f64, and what nothing can is refused`, (t) =>
    on(t, async (on) => {
      // Eigenvalues from 2 down to 2^-18: the error of an inverse in f32 does not fall to 1e-3.
      const width = 140;
      const hard = new Plain(width, width, (row, column) => (row === column ? 2 ** (1 - (19 * row) / (width - 1)) : 0));
      const x = drawn(width, 1, 17);
      near(await on.read(await on.solve(hard.on(on), hard.times(x).on(on))), x, 1e-3);
      for (const width of [2, 140]) {
        const flat = new Plain(width, width, () => 1);
        await assert.rejects(on.solve(flat.on(on), drawn(width, 1, 18).on(on)), RangeError);
      }
    }));

  test(`${name}: singular values of tall and wide matrices`, (t) =>
    on(t, async (on) => {
      for (const [rows, columns] of [
        [40, 7],
        [7, 40],
      ]) {
        const a = drawn(rows, columns, 19);
        const { u, s, v } = await on.svd(a.on(on), 7);
        assert.deepEqual([u.rows, u.columns, v.rows, v.columns], [rows, 7, columns, 7]);
        assert.deepEqual(
          [...s],
          [...s].toSorted((x, y) => y - x),
        );
        const scaled = on.multiply(u, on.upload(s, 1, 7));
        near(await on.read(on.matmul(scaled, v, { transposeB: true })), a, 1e-3, 'u s v′');
        for (const side of [u, v]) near(await on.read(on.gram(side)), identity(7), 1e-3, 'orthonormal');
      }
    }));

  test(`${name}: a tower that is trained comes to the same error`, async (t) => {
    const { device } = await make(t);
    const expected = trainPlain();
    const found = await device.run(train);
    t.diagnostic(`error ${found.toFixed(6)}, of f64 ${expected.toFixed(6)}`);
    assert.ok(expected < 0.6, `it learns: ${expected}`);
    close(found, expected, 1e-3, 'error');
  });

  test(`${name}: below one table the budget refuses, and says what to set`, async (t) => {
    const { small, smallMeter } = await make(t);
    const table = new Float32Array(2 ** 19);
    await assert.rejects(
      small.run(async (on) => on.read(on.upload(table, 2 ** 12, 2 ** 7))),
      { reason: 'DEVICE_FULL', message: /A matrix of 4096 x 128 takes 2 MiB .* set memory\.deviceMiB to 2 or more/ },
    );
    assert.equal(smallMeter.get('bytes'), 0);
    // The same table in parts goes.
    const sum = await small.run(async (on) => {
      let sum = 0;
      for (let n = 0; n < 4; n++) {
        const part = on.upload(table.subarray(n * 2 ** 17, (n + 1) * 2 ** 17).fill(1), 2 ** 10, 2 ** 7);
        const sums = on.sum(part, 'columns');
        sum += (await on.read(sums)).reduce((x, y) => x + y, 0);
        on.free(part, sums);
      }
      return sum;
    });
    assert.equal(sum, 2 ** 19);
  });

  test(`${name}: nothing is left of what was made`, async (t) => {
    const { device, meter, multiplyEvery } = await make(t);
    const figures = () => ({ bytes: meter.get('bytes'), tensors: meter.get('tensors') });
    const query = drawn(2, 8, 20);
    const items = drawn(31, 8, 21);
    let most = 0;
    // What an earlier run made is freed in its turn, which may come after that run's answer.
    await device.run(async (on) => on.settle());
    const before = figures();
    await device.run(async (on) => {
      const table = items.on(on);
      const started = { calls: 0, figures: figures() };
      for (let n = 0; n < CALLS; n++) {
        const made: Matrix = on.tidy(() => {
          const scores = n % multiplyEvery === 0 ? on.scoreBatch(query.on(on), table) : on.add(table, on.fill(1, 8, n));
          return on.apply('sigmoid', scores);
        });
        if (n % 100 === 99) {
          await (n % multiplyEvery === 99 ? on.topK(made, 3) : on.settle());
          if (started.calls++ === 0) started.figures = figures();
          most = Math.max(most, meter.get('tensors') - started.figures.tensors);
        }
        on.free(made);
      }
    });
    assert.ok(most <= 0, `${most} tensors more than after the first hundred calls`);
    for (let n = 0; n < 10; n++) {
      await assert.rejects(
        device.run(async (on) => {
          query.on(on);
          await on.settle();
          throw new Error('left off');
        }),
        { message: 'left off' },
      );
    }
    await device.run(async (on) => void on.svd(items.on(on), 3).catch(() => {}));
    await device.run(async (on) => on.settle());
    assert.deepEqual(figures(), before);
  });

  test(`${name}: mistakes are told, and nothing else suffers`, async (t) => {
    const { device } = await make(t);
    let stale: Matrix | undefined;
    await device.run(async (on) => {
      const a = drawn(2, 3, 22).on(on);
      assert.throws(() => on.matmul(a, a), /matmul .* does not fit: 2 x 3 and 2 x 3/);
      assert.throws(() => on.add(on.sum(a, 'rows'), a), TypeError);
      assert.throws(() => on.upload(new Float32Array(5), 2, 3), /5 numbers do not fit: 2 x 3/);
      assert.throws(() => on.gather(a, Uint32Array.of(2)), TypeError);
      assert.throws(() => on.slice(a, 2, 2), TypeError);
      await assert.rejects(on.topK(a, 4), TypeError);
      await assert.rejects(on.svd(a, 3), TypeError);
      on.free(a);
      assert.throws(() => on.apply('abs', a), /freed/);
      stale = on.fill(1, 1, 7);
      assert.deepEqual([...(await on.read(stale))], [7]);
    });
    await device.run(async (on) => {
      assert.throws(() => {
        for (let n = 0; n <= OPERATIONS_MAX; n++) on.free(on.fill(1, 1, n));
      }, /without waiting/);
    });
    assert.deepEqual([...(await device.run(async (on) => on.read(on.fill(1, 2, 3))))], [3, 3]);
    assert.ok(stale);
  });
}

function near(found: Float32Array, expected: Plain, error: number, what = ''): void {
  assert.equal(found.length, expected.values.length);
  expected.values.forEach((value, n) => {
    close(found[n], value, error, `${what} element ${n}`);
  });
}

function close(found: number, expected: number, error: number, what: string): void {
  const apart = Math.abs(found - expected) / Math.max(1, Math.abs(expected));
  assert.ok(apart <= error, `${what}: ${found} is not ${expected} (apart ${apart}, allowed ${error})`);
}

function identity(width: number): Plain {
  return new Plain(width, width, (row, column) => (row === column ? 1 : 0));
}
