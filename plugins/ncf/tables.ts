import { type ColumnSpecs, f32, f64, u32 } from '../contract/index.ts';
import type { NcfConfig } from './config.ts';
import { layersOf } from './shape.ts';

/** Counts of ratings are told apart by powers of two, up to so many. */
export const BUCKETS = 10;

/** The tables of `ncf`. */
export function tables(config: NcfConfig) {
  const { gmf, tower } = config;
  const layers = layersOf(tower);
  const top = layers[layers.length - 1].outs;
  return {
    users: { index: 'user', columns: sideColumns(config) },
    /**
     * `rank`: the part of an item's ranking score that is the same for all users. `likeness`: what makes a product of
     * another item's direction with its vector their likeness.
     */
    items: { index: 'item', columns: { ...sideColumns(config), rank: f32(), likeness: f32() } as ColumnSpecs },
    model: {
      index: 'model',
      columns: {
        /** Over all live ratings: the sum of weight (value - 3), and of weight. */
        started: u32(),
        sum: f64(),
        weight: f64(),
        /** Of the gate, by counts: sums of (what the network said)(what the biases missed), and of the square of the first. */
        hits: f64(BUCKETS),
        squares: f64(BUCKETS),
        /** The last layer: of each product what its weight has above 1, and the weights of the tower's numbers. */
        products: f32(gmf.k),
        numbers: f32(top),
        ...(isDistilled(config) && { productsThen: f32(gmf.k), numbersThen: f32(top) }),
        ...Object.assign({}, ...layers.map(({ ins, outs }, n) => layerColumns(config, n, ins, outs))),
      } as ColumnSpecs,
    },
  } as const;
}

export type NcfTables = ReturnType<typeof tables>;

/** Whether it is kept what the network was right after the last refit. */
export const isDistilled = ({ replay }: Pick<NcfConfig, 'replay'>) => replay.count > 0 && replay.distill > 0;

/**
 * `vector`: that of the products, then that of the tower. `vectorThen`: the same right after the last refit, if `known` is 1: if it
 * had ratings by then. `ratings`: live ratings of a user or an item.
 */
function sideColumns(config: NcfConfig): ColumnSpecs {
  const width = config.gmf.k + config.tower.k;
  const kept = { vectorThen: f32(width), known: u32() };
  return { vector: f32(width, config.initialSd), ...(isDistilled(config) && kept), bias: f32(), ratings: u32() };
}

/** `w0`, `b0`: of the first layer, W by its columns, and what is added; `up0`, `down0`: of its adapter, A and B. */
function layerColumns({ tower }: NcfConfig, n: number, ins: number, outs: number): ColumnSpecs {
  return {
    [`w${n}`]: f32(ins * outs),
    [`b${n}`]: f32(outs),
    ...(tower.rank > 0 && { [`up${n}`]: f32(tower.rank * outs), [`down${n}`]: f32(tower.rank * ins) }),
  };
}
