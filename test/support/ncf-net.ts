import { Random, type WritableAddress } from '../../plugins/contract/index.ts';
import { configSchema } from '../../plugins/ncf/config.ts';
import { kernels as module } from '../../plugins/ncf/kernels.ts';
import { Net } from '../../plugins/ncf/net.ts';
import type { Network } from '../../plugins/ncf/reference.ts';
import { layersOf } from '../../plugins/ncf/shape.ts';
import { instantiate } from './kernel-bench.ts';

/** A network of drawn weights in a memory of its own. */

const { kernels, memory } = instantiate(module);
export const floats = new Float32Array(memory.buffer);
const random = new Random();

/** A network of weights between -1 and 1 (divided by the root of what goes in), and where they are. */
export function buildNet(settings: Parameters<typeof configSchema.parse>[0], seed: number) {
  random.key(seed, 0);
  let top = 1024;
  const scratch = (bytes: number) => {
    const at = top;
    top += bytes;
    return at as WritableAddress;
  };
  const draw = (length: number, most = 1) => {
    const at = scratch(4 * length);
    for (let n = 0; n < length; n++) floats[(at >>> 2) + n] = most * (random.next() / 2 ** 31 - 1);
    return { at, numbers: Float64Array.from(floats.subarray(at >>> 2, (at >>> 2) + length)) };
  };
  const config = configSchema.parse(settings);
  const { gmf, tower } = config;
  const shape = layersOf(tower);
  const layers = shape.map(({ ins, outs }) => ({
    w: draw(ins * outs, 2 / Math.sqrt(ins)),
    b: draw(outs, 0.1),
    up: draw(tower.rank * outs),
    down: draw(tower.rank * ins, 1 / Math.sqrt(ins)),
  }));
  const [products, numbers] = [draw(gmf.k), draw(shape[shape.length - 1].outs)];
  const vectors = [draw(gmf.k + tower.k), draw(gmf.k + tower.k)];
  const columns = Object.fromEntries(
    layers.flatMap((parts, n) => Object.entries(parts).map(([name, { at }]) => [`${name}${n}`, at])),
  );
  const tables = { model: { column: (name: string) => () => columns[name] } };
  const net = new Net({ config, tables, kernels, scratch } as unknown as ConstructorParameters<typeof Net>[0]);
  const network: Network = {
    gmf: gmf.k,
    products: products.numbers,
    numbers: numbers.numbers,
    layers: layers.map(({ w, b, up, down }) => ({ w: w.numbers, b: b.numbers, up: up.numbers, down: down.numbers })),
  };
  return { net, network, vectors, last: { products: products.at, numbers: numbers.at } };
}
