import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Random, type WritableAddress } from '../../plugins/contract/index.ts';
import { SAID_MAX } from '../../plugins/ncf/gate.ts';
import { gradientsOf, type TowerBatch } from '../../plugins/ncf/tower-gradients.ts';
import { DeviceMeter } from '../../server/tensor/device-meter.ts';
import { LocalDevice } from '../../server/tensor/local-device.ts';
import { findPackage } from '../../server/tensor/packages.ts';
import { buildNet, floats } from '../support/ncf-net.ts';

/** The gradients of `ncf`, written by hand, and those that TensorFlow.js derives by itself from what the network says. */

/** Relative to 1 or the value; all of it is f32. */
const TOLERANCE = 2e-5;

/** What of TensorFlow.js is used here: its plain backend, which every processor has. */
interface Autodiff {
  setBackend(name: 'cpu'): Promise<boolean>;
  tidy<T>(work: () => T): T;
  tensor2d(values: ArrayLike<number>, shape: readonly [number, number], type: 'float32'): Tensor;
  concat(tensors: readonly Tensor[], axis: number): Tensor;
  grads(of: (...tensors: Tensor[]) => Tensor): (tensors: readonly Tensor[]) => Tensor[];
  memory(): { readonly numTensors: number };
}

interface Tensor {
  readonly shape: readonly number[];
  add(other: Tensor | number): Tensor;
  sub(other: Tensor): Tensor;
  mul(other: Tensor | number): Tensor;
  matMul(other: Tensor, transposeA?: boolean, transposeB?: boolean): Tensor;
  relu(): Tensor;
  abs(): Tensor;
  square(): Tensor;
  minimum(other: number): Tensor;
  sum(): Tensor;
  slice(begin: readonly number[], size: readonly number[]): Tensor;
  dataSync(): Float32Array;
}

const found = findPackage('@tensorflow/tfjs');
const skip = !found && 'TensorFlow.js is not installed: npm run setup:tensorflow';

async function load(): Promise<Autodiff> {
  const tf = found?.load() as Autodiff;
  assert.ok(await tf.setBackend('cpu'));
  return tf;
}

function close(actual: ArrayLike<number>, expected: ArrayLike<number>, what: string): void {
  assert.equal(actual.length, expected.length, what);
  for (let n = 0; n < expected.length; n++) {
    const apart = Math.abs(actual[n] - expected[n]) / Math.max(1, Math.abs(expected[n]));
    assert.ok(apart <= TOLERANCE, `${what} ${n}: ${actual[n]} is not ${expected[n]}`);
  }
}

describe('by kernels, rating by rating, with adapters', { skip }, () => {
  for (const settings of [
    { gmf: { k: 4 }, tower: { k: 4, layers: 1, rank: 1 } },
    { gmf: { k: 64 }, tower: { k: 16, layers: 2, rank: 4 } },
    { gmf: { k: 20 }, tower: { k: 32, layers: 4, rank: 8 } },
  ]) {
    test(JSON.stringify(settings), async () => {
      const tf = await load();
      const { net, network, vectors, last } = buildNet(settings, 3);
      const { k } = settings.gmf;
      const tower = settings.tower.k;
      const [p, q] = vectors;
      net.say(p.at, q.at, last);
      net.back(last);
      const read = (at: number, length: number) => floats.slice(at >>> 2, (at >>> 2) + length);
      const outer = (columns: WritableAddress, rows: WritableAddress, ins: number, outs: number) =>
        Array.from(
          { length: ins * outs },
          (_, n) => floats[(columns >>> 2) + Math.floor(n / outs)] * floats[(rows >>> 2) + (n % outs)],
        );
      const derived = tf.tidy(() => {
        const row = (values: ArrayLike<number>) =>
          tf.tensor2d(Float32Array.from(values), [1, values.length], 'float32');
        const layers = network.layers.flatMap(({ w, b, up, down }, n) => {
          const { ins, outs } = net.floors[n];
          const { rank } = settings.tower;
          const table = (values: ArrayLike<number>, rows: number, columns: number) =>
            tf.tensor2d(Float32Array.from(values), [rows, columns], 'float32');
          return [table(w, ins, outs), row(b), table(up, rank, outs), table(down, rank, ins)];
        });
        const says = (p: Tensor, q: Tensor, v: Tensor, n: Tensor, ...weights: Tensor[]) => {
          const [gmfOf, towerOf] = [(x: Tensor) => x.slice([0, 0], [1, k]), (x: Tensor) => x.slice([0, k], [1, tower])];
          let x = tf.concat([towerOf(p), towerOf(q)], 1);
          for (let at = 0; at < weights.length; at += 4) {
            const [w, b, up, down] = weights.slice(at, at + 4);
            x = x
              .matMul(w)
              .add(b)
              .add(x.matMul(down, false, true).matMul(up))
              .relu();
          }
          return gmfOf(p).mul(gmfOf(q)).mul(v.add(1)).sum().add(x.mul(n).sum());
        };
        const given = [row(p.numbers), row(q.numbers), row(network.products), row(network.numbers), ...layers];
        return tf
          .grads(says)(given)
          .map((gradient) => gradient.dataSync());
      });
      const [byUser, byItem, byProducts, byNumbers, ...byLayers] = derived;
      close(read(net.user, k + tower), byUser, 'by the user');
      close(read(net.item, k + tower), byItem, 'by the item');
      close(read(net.products, k), byProducts, 'by the weights of products');
      close(read(net.numbers, net.topWidth), byNumbers, 'by the weights of numbers');
      for (const [n, { x, z, t, s, ins, outs }] of net.floors.entries()) {
        const [w, b, up, down] = byLayers.slice(4 * n, 4 * n + 4);
        close(outer(x, z, ins, outs), w, `layer ${n}, by W`);
        close(read(z, outs), b, `layer ${n}, by what is added`);
        close(outer(t, z, settings.tower.rank, outs), up, `layer ${n}, by A`);
        close(outer(s, x, settings.tower.rank, ins), down, `layer ${n}, by B`);
      }
      assert.equal(tf.memory().numTensors, 0);
    });
  }
});

describe('by matrices, a batch at once, with dropout, weights and errors beyond what counts', { skip }, () => {
  for (const [rows, shape] of [
    [1, [8, 4]],
    [33, [32, 16, 8]],
    [50, [64, 32, 16, 8, 4]],
  ] as const) {
    test(`${rows} ratings, layers of ${shape}`, async () => {
      const tf = await load();
      const random = new Random();
      random.key(rows, 0);
      const draw = (length: number, most: number) =>
        Float32Array.from({ length }, () => most * (random.next() / 2 ** 31 - 1));
      const layers = shape.slice(1).map((outs, n) => {
        const ins = shape[n];
        return { ins, outs, w: draw(ins * outs, 2 / Math.sqrt(ins)), b: draw(outs, 0.1) };
      });
      const batch: TowerBatch = {
        layers,
        numbers: draw(shape[shape.length - 1], 1),
        entry: draw(rows * shape[0], 1),
        left: draw(rows, 2 * SAID_MAX),
        weights: draw(rows, 1).map((weight) => 1 + weight),
        masks: layers.map(({ outs }) => draw(rows * outs, 1).map((drawn) => (drawn < -0.4 ? 0 : 1 / 0.7))),
      };
      const {
        shares,
        entry,
        numbers,
        layers: steps,
      } = await new LocalDevice(2 ** 24, new DeviceMeter()).run((on) => gradientsOf(on, batch));
      const { losses, derived } = tf.tidy(() => {
        const table = (values: ArrayLike<number>, rows: number) =>
          tf.tensor2d(values, [rows, values.length / rows], 'float32');
        const [left, weights] = [table(batch.left, rows), table(batch.weights, rows)];
        const masks = batch.masks.map((mask) => table(mask, rows));
        // Of all ratings: error²/2 up to SAID_MAX, and beyond it a line (Huber).
        const loss = (x: Tensor, n: Tensor, said: Tensor, ...given: Tensor[]) => {
          let y = x;
          for (const [floor, mask] of masks.entries())
            y = y
              .matMul(given[2 * floor])
              .add(given[2 * floor + 1])
              .relu()
              .mul(mask);
          const size = left.sub(said.add(y.matMul(n, false, true))).abs();
          const inner = size.minimum(SAID_MAX);
          return inner.square().mul(0.5).add(size.sub(inner).mul(SAID_MAX)).mul(weights).sum();
        };
        const given = [
          table(batch.entry, rows),
          table(batch.numbers, 1),
          table(new Float32Array(rows), rows),
          ...layers.flatMap(({ ins, w, b }) => [table(w, ins), table(b, 1)]),
        ];
        return {
          losses: loss(...(given as [Tensor, Tensor, Tensor, ...Tensor[]])).dataSync(),
          derived: tf
            .grads(loss as (...tensors: Tensor[]) => Tensor)(given)
            .map((gradient) => gradient.dataSync()),
        };
      });
      assert.ok(losses[0] > 0);
      const [byEntry, byNumbers, bySaid, ...byLayers] = derived;
      close(shares, bySaid, 'by what is said');
      close(entry, byEntry, 'by x_0');
      close(numbers, byNumbers, 'by the weights of numbers');
      for (const [n, { w, b }] of steps.entries()) {
        close(w, byLayers[2 * n], `layer ${n}, by W`);
        close(b, byLayers[2 * n + 1], `layer ${n}, by what is added`);
      }
      const isBounded = (share: number, n: number) => Math.abs(share) > (SAID_MAX - 1e-5) * batch.weights[n];
      if (rows > 1) assert.ok(shares.some(isBounded) && !shares.every(isBounded));
    });
  }
});
