import { type Device, Random } from '../../plugins/contract/index.ts';

/** Users and factors of the work that is timed, and how many of the best items are told. */
const QUERIES = 64;
const WIDTH = 64;
const BEST = 10;
/** Items that these users are scored for. */
const SIZES = [64, 256, 1024, 4096, 16_384];
/** What grows by the factor of the sizes takes at most so many times as long. */
const GROWTH = 4;
/** Of two tries the faster: others share the machine. */
const TRIES = 2;
/** The longest that all that is timed takes: a start waits for it. */
const BUDGET_MS = 500;

/**
 * From how many multiplications on a device scores faster than `cpu` does, the ways there and back included: the smallest
 * of a few sizes. Infinity where it is slower at each that could be tried in time, and where it fails.
 */
export async function measureCrossover(device: Device, cpu: Device, now = () => performance.now()): Promise<number> {
  try {
    let [last, lastCpu, spentMs] = [0, 0, 0];
    for (const items of SIZES) {
      if (spentMs + TRIES * GROWTH * (last + lastCpu) > BUDGET_MS) break;
      // What a device compiles and loads when it is first asked for a size is not what its work takes.
      await timed(device, items, now);
      const startMs = now();
      last = await timed(device, items, now);
      lastCpu = await timed(cpu, items, now);
      spentMs += now() - startMs;
      if (last < lastCpu) return QUERIES * items * WIDTH;
    }
  } catch {
    // Whoever watches the device hears of it; what has no room pays even less.
  }
  return Number.POSITIVE_INFINITY;
}

/** Milliseconds. */
async function timed(device: Device, items: number, now: () => number): Promise<number> {
  const [queries, table] = [drawn(QUERIES), drawn(items)];
  let least = Number.POSITIVE_INFINITY;
  for (let n = 0; n < TRIES; n++) {
    const startMs = now();
    await device.run((on) =>
      on.topK(on.scoreBatch(on.upload(queries, QUERIES, WIDTH), on.upload(table, items, WIDTH)), BEST),
    );
    least = Math.min(least, now() - startMs);
  }
  return least;
}

function drawn(rows: number): Float32Array {
  const random = new Random();
  random.key(rows, 0);
  return Float32Array.from({ length: rows * WIDTH }, () => random.next() / 2 ** 31 - 1);
}
