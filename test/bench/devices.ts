import type { Device, Matrix, Workspace } from '../../plugins/contract/index.ts';
import { DeviceHandle, examineDevices } from '../../server/tensor/device-handle.ts';
import { DeviceMeter } from '../../server/tensor/device-meter.ts';
import { LocalDevice } from '../../server/tensor/local-device.ts';
import { drawn } from '../devices/matrices.ts';
import type { Report } from './report.ts';

/** Work on whole matrices by each device that is installed, over sizes; from which size on it is faster than `cpu`. */

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
  readonly prepare: (on: Workspace, size: number) => readonly Matrix[];
  readonly once: (on: Workspace, given: readonly Matrix[]) => Promise<unknown>;
}

const WORKS: readonly Work[] = [
  {
    name: `the best ${BEST} of each of ${QUERIES} users, by items (k = ${WIDTH})`,
    sizes: [300, 3000, 27_278],
    prepare: (on, items) => [drawn(QUERIES, WIDTH, 1).on(on), drawn(items, WIDTH, 2).on(on)],
    once: (on, [queries, items]) => on.topK(on.scoreBatch(queries, items), BEST),
  },
  {
    name: `a Gram matrix of ${WIDTH} columns, by rows`,
    sizes: [300, 3000, 30_000],
    prepare: (on, rows) => [drawn(rows, WIDTH, 3).on(on)],
    once: (on, [rows]) => on.read(on.gram(rows, 1)),
  },
  {
    name: `a training step of a tower, ${BATCH} examples, by the width of its layers`,
    sizes: [32, 128, 512],
    prepare: (on, width) => [drawn(BATCH, width, 4).on(on), drawn(width, width, 5).on(on), drawn(width, 1, 6).on(on)],
    once: async (on, given) => on.read(trainOnce(on, given)),
  },
  {
    name: 'a system of equations, by its width',
    sizes: [100, 300, 900],
    prepare: (on, width) => [on.gram(drawn(width, width, 7).on(on), width), drawn(width, 1, 8).on(on)],
    once: async (on, [a, b]) => on.read(await on.solve(a, b)),
  },
];

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
    report.note(`${name}: ${handle.chosen?.adapter}`);
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
  for (const { name: work, sizes, prepare, once } of WORKS) {
    for (const size of sizes) {
      const value = await device.run(async (on) => {
        const given = prepare(on, size);
        await on.settle();
        let least = Number.POSITIVE_INFINITY;
        for (let n = 0; n < TRIES; n++) {
          const startMs = performance.now();
          await once(on, given);
          least = Math.min(least, performance.now() - startMs);
        }
        return least;
      });
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
