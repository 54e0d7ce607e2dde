import type { Device, Matrix, Workspace } from '../../plugins/contract/index.ts';
import { DeviceHandle, examineDevices } from '../../server/tensor/device-handle.ts';
import { DeviceMeter } from '../../server/tensor/device-meter.ts';
import { LocalDevice } from '../../server/tensor/local-device.ts';
import { drawn } from '../devices/matrices.ts';
import type { Lab } from '../laws/lab.ts';
import { createLab } from '../support/ncf-lab.ts';
import type { Report } from './report.ts';

/**
 * Work on whole matrices by each device that is installed, over sizes; from which size on it is faster than `cpu`, and from
 * which on a server would use it.
 */

const PART = 'devices';
const BUDGET_BYTES = 2 ** 31;
const WIDTH = 64;
const QUERIES = 64;
const BEST = 10;
const BATCH = 256;
/** The fastest of so many: others share the machine. */
const TRIES = 4;

interface Work {
  readonly name: string;
  readonly sizes: readonly number[];
  /** Milliseconds. */
  readonly time: (device: Device, size: number) => Promise<number>;
}

/** What is done with matrices that are on the device already. */
function matrixWork(
  name: string,
  sizes: readonly number[],
  prepare: (on: Workspace, size: number) => readonly Matrix[],
  once: (on: Workspace, given: readonly Matrix[]) => Promise<unknown>,
): Work {
  const time = (device: Device, size: number) =>
    device.run(async (on) => {
      const given = prepare(on, size);
      await on.settle();
      return fastest(() => once(on, given));
    });
  return { name, sizes, time };
}

const WORKS: readonly Work[] = [
  matrixWork(
    `the best ${BEST} of each of ${QUERIES} users, by items (k = ${WIDTH})`,
    [300, 3000, 27_278],
    (on, items) => [drawn(QUERIES, WIDTH, 1).on(on), drawn(items, WIDTH, 2).on(on)],
    (on, [queries, items]) => on.topK(on.scoreBatch(queries, items), BEST),
  ),
  matrixWork(
    `all scores of ${QUERIES} users, by items (k = ${WIDTH})`,
    [300, 3000, 27_278],
    (on, items) => [drawn(QUERIES, WIDTH, 1).on(on), drawn(items, WIDTH, 2).on(on)],
    (on, [queries, items]) => on.read(on.scoreBatch(queries, items)),
  ),
  matrixWork(
    `a Gram matrix of ${WIDTH} columns, by rows`,
    [300, 3000, 30_000],
    (on, rows) => [drawn(rows, WIDTH, 3).on(on)],
    (on, [rows]) => on.read(on.gram(rows, 1)),
  ),
  matrixWork(
    `a training step of a tower, ${BATCH} examples, by the width of its layers`,
    [32, 128, 512],
    (on, width) => [drawn(BATCH, width, 4).on(on), drawn(width, width, 5).on(on), drawn(width, 1, 6).on(on)],
    (on, given) => on.read(trainOnce(on, given)),
  ),
  matrixWork(
    'a system of equations, by its width',
    [100, 300, 900],
    (on, width) => [on.gram(drawn(width, width, 7).on(on), width), drawn(width, 1, 8).on(on)],
    async (on, [a, b]) => on.read(await on.solve(a, b)),
  ),
  {
    name: 'a refit of ncf, an epoch of 8,192 ratings, a tower of 64, 32, 16, 8 and 4, by ratings in a batch (cpu: kernels)',
    sizes: [64, 512, 4096],
    time: (device, batch) => {
      const refit = { epochs: 1, batch };
      const lab = createLab({ gmf: { k: 8 }, tower: { k: 32, layers: 4, rank: 0 }, refit }, RATINGS);
      return fastest(() => refitOnce(lab, device));
    },
  },
];

/** By matrices, however small, where that is not `cpu`. */
async function refitOnce(lab: Lab, device: Device): Promise<void> {
  const crossover = device.name === 'cpu' ? device.crossover : 0;
  for await (const _ of lab.model.refit(1, { name: device.name, crossover, run: (work) => device.run(work) }));
}

/** Each user and item once with each other. */
const RATINGS = Array.from({ length: 8192 }, (_, n) => ({
  user: `user-${n % 128}`,
  item: `item-${Math.floor(n / 128)}`,
  value: 1 + ((n * 7) % 5),
}));

async function fastest(once: () => Promise<unknown>): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let n = 0; n < TRIES; n++) {
    const startMs = performance.now();
    await once();
    least = Math.min(least, performance.now() - startMs);
  }
  return least;
}

export async function benchDevices(report: Report): Promise<void> {
  report.heading('Devices: work on whole matrices');
  const here = new LocalDevice(BUDGET_BYTES, new DeviceMeter());
  const base = await measureAll('cpu', here, report);
  const { trials } = await examineDevices('auto');
  for (const { name, why, remedy } of trials) {
    if (why !== undefined) {
      report.note(`${name} is not measured: ${why}${remedy ? `; ${remedy}` : ''}`);
      continue;
    }
    const handle = await DeviceHandle.open({ setting: name, budgetBytes: BUDGET_BYTES }, (why) => report.note(why));
    const device = handle.device(here);
    if (!device) continue;
    const { crossover } = handle.traits;
    const from = Number.isFinite(crossover) ? `from ${crossover} multiplications on` : 'for nothing';
    report.note(`${name}: ${handle.chosen?.adapter}; a server that starts now uses it ${from}`);
    if (name === 'webgpu' && !handle.chosen?.accelerated) {
      report.note('that is software which plays a card: it is not measured');
      await handle.stop();
      continue;
    }
    const found = await measureAll(name, device, report);
    for (const { name: work, sizes } of WORKS) {
      const from = sizes.find((size) => Number(found.get(`${work} ${size}`)) < Number(base.get(`${work} ${size}`)));
      report.note(`${name} is faster than cpu at ${work}: ${from === undefined ? 'at no size' : `from ${from} on`}`);
    }
    device.close();
    await handle.stop();
  }
}

/** Milliseconds by work and size. */
async function measureAll(name: string, device: Device, report: Report): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (const { name: work, sizes, time } of WORKS) {
    for (const size of sizes) {
      const value = await time(device, size);
      found.set(`${work} ${size}`, value);
      report.add({ part: PART, name: `${name}: ${work}: ${size}`, value, unit: 'ms' });
    }
  }
  return found;
}

/** Forward, backward, and the step of the first layer. */
function trainOnce(on: Workspace, [input, hidden, out]: readonly Matrix[]): Matrix {
  return on.tidy(() => {
    const sums = on.matmul(input, hidden);
    const error = on.affine(on.apply('sigmoid', on.matmul(on.apply('relu', sums), out)), 1, -0.5);
    const back = on.multiply(on.matmul(error, out, { transposeB: true }), on.apply('step', sums));
    const gradient = on.matmul(input, back, { transposeA: true });
    return on.subtract(hidden, on.affine(gradient, 1 / BATCH));
  });
}
