import { Random, type ReadTables, type WritableMemory, type WriteTables } from '../contract/index.ts';
import type { NcfConfig } from './config.ts';
import { layersOf } from './shape.ts';
import type { NcfTables } from './tables.ts';

interface StartContext {
  readonly config: NcfConfig;
  readonly tables: WriteTables<NcfTables>;
  readonly memory: WritableMemory;
}

/** Gives the tower and the last layer their first values, unless they have them. */
export function start(context: StartContext): void {
  const started = context.tables.model.column('started')(0) >>> 2;
  if (context.memory.u32[started] === 0) restart(context);
}

/**
 * The weights of the tower and its part of the last layer are drawn, uniformly, such that the numbers of a layer are about as
 * large as those before it (He et al. 2015). What is added in a layer, A of an adapter, and what weights of products have above
 * 1 are 0.
 */
export function restart({ config, tables: { model }, memory: { f32: floats, u32: words } }: StartContext): void {
  const { gmf, tower } = config;
  const random = new Random();
  random.key(config.seed, 0);
  const fill = (column: string, count: number, ins: number) => {
    const at = model.column(column)(0) >>> 2;
    const most = ins === 0 ? 0 : Math.sqrt(6 / ins);
    for (let n = 0; n < count; n++) floats[at + n] = most * (random.next() / 2 ** 31 - 1);
  };
  const layers = layersOf(tower);
  for (const [n, { ins, outs }] of layers.entries()) {
    fill(`w${n}`, ins * outs, ins);
    fill(`b${n}`, outs, 0);
    if (tower.rank === 0) continue;
    fill(`up${n}`, tower.rank * outs, 0);
    fill(`down${n}`, tower.rank * ins, ins);
  }
  const { outs } = layers[layers.length - 1];
  fill('products', gmf.k, 0);
  fill('numbers', outs, outs);
  words[model.column('started')(0) >>> 2] = 1;
}

/** Where the last layer is, as it is now or as it was right after the last refit. */
export function lastOf<Tables extends ReadTables<NcfTables>>({ model }: Tables, when: '' | 'Then' = '') {
  type At = ReturnType<ReturnType<Tables['model']['column']>>;
  return { products: model.column(`products${when}`)(0) as At, numbers: model.column(`numbers${when}`)(0) as At };
}
