import type { Matrix, Workspace } from '../../plugins/contract/index.ts';
import { drawn, Plain } from './matrices.ts';

/**
 * A tower like those that a refit trains: rows of two tables side by side, one layer of rectifiers, one number that a
 * sigmoid makes a probability; logistic loss, plain gradient steps on the whole batch.
 */

const BATCH = 48;
const [USERS, ITEMS, WIDTH, HIDDEN] = [9, 11, 4, 6];
const STEPS = 25;
const RATE = 1;

const of = (count: number, times: number) => Uint32Array.from({ length: BATCH }, (_, n) => (n * times) % count);
const [user, item] = [of(USERS, 5), of(ITEMS, 7)];
const target = new Plain(BATCH, 1, (n) => ((user[n] + item[n]) % 3 === 0 ? 1 : 0));
const beginning = {
  users: drawn(USERS, WIDTH, 31),
  items: drawn(ITEMS, WIDTH, 32),
  hidden: drawn(2 * WIDTH, HIDDEN, 33),
  out: drawn(HIDDEN, 1, 34),
};

/** On a device. Returns the mean loss after the last step. */
export async function train(on: Workspace): Promise<number> {
  const targets = target.on(on);
  let weights = Object.values(beginning).map((matrix) => matrix.on(on));
  for (let step = 0; step < STEPS; step++) {
    const next = on.tidy(() => stepOnce(on, weights, targets));
    on.free(...weights);
    weights = next;
    await on.settle();
  }
  return lossOf(await on.read(forward(on, weights).probability));
}

function forward(on: Workspace, [users, items, hidden, out]: readonly Matrix[]) {
  const input = on.concat(on.gather(users, user), on.gather(items, item));
  const sums = on.matmul(input, hidden);
  const active = on.apply('relu', sums);
  return { input, sums, active, probability: on.apply('sigmoid', on.matmul(active, out)) };
}

function stepOnce(on: Workspace, weights: readonly Matrix[], targets: Matrix): Matrix[] {
  const { input, sums, active, probability } = forward(on, weights);
  const [, , hidden, out] = weights;
  const error = on.affine(on.subtract(probability, targets), 1 / BATCH);
  const ofSums = on.multiply(on.matmul(error, out, { transposeB: true }), on.apply('step', sums));
  const ofInput = on.matmul(ofSums, hidden, { transposeB: true });
  const gradients = [
    on.scatter(on.slice(ofInput, 0, WIDTH), user, USERS),
    on.scatter(on.slice(ofInput, WIDTH, 2 * WIDTH), item, ITEMS),
    on.matmul(input, ofSums, { transposeA: true }),
    on.matmul(active, error, { transposeA: true }),
  ];
  return weights.map((weight, n) => on.subtract(weight, on.affine(gradients[n], RATE)));
}

function lossOf(probability: ArrayLike<number>): number {
  let sum = 0;
  for (let n = 0; n < BATCH; n++) sum -= Math.log(target.values[n] === 1 ? probability[n] : 1 - probability[n]);
  return sum / BATCH;
}

/** The same in f64, with gradients by another way: differences of the loss. */
export function trainPlain(): number {
  let weights = Object.values(beginning);
  for (let step = 0; step < STEPS; step++) {
    const gradients = weights.map((weight, n) =>
      weight.map((_, row, column) => {
        const moved = (by: number) => {
          const one = weight.map((value, r, c) => (r === row && c === column ? value + by : value));
          return lossOf(probabilitiesOf(weights.with(n, one)));
        };
        return (moved(DIFFERENCE) - moved(-DIFFERENCE)) / (2 * DIFFERENCE);
      }),
    );
    weights = weights.map((weight, n) => weight.with(gradients[n], (value, gradient) => value - RATE * gradient));
  }
  return lossOf(probabilitiesOf(weights));
}

const DIFFERENCE = 1e-6;

function probabilitiesOf([users, items, hidden, out]: readonly Plain[]): Float64Array {
  const input = new Plain(BATCH, 2 * WIDTH, (n, column) =>
    column < WIDTH ? users.at(user[n], column) : items.at(item[n], column - WIDTH),
  );
  const active = input.times(hidden).map((value) => Math.max(0, value));
  return active.times(out).map((value) => 1 / (1 + Math.exp(-value))).values;
}
