import type { Device, Matrix, Query, Workspace } from '../../../plugins/contract/index.ts';
import { AccreteError } from '../../errors.ts';
import { FactorMatrices } from '../../models/factor-matrices.ts';
import type { Model } from '../../models/model.ts';
import type { Examiner } from './examiner.ts';

/** Scores that are taken from the device at a time, and numbers of vectors that are brought there at a time. */
const SCORES_MAX = 2 ** 21;
const TILE = 2 ** 20;

/**
 * Scores all items for observations by products on a device, many at once, and tells of them in order; it begins with
 * observation 0. `scores`: valid until the next; undefined: ask the model. It leaves off before the last where the rest is
 * better done one by one: when the model does not multiply, when the device is slower than that, and when it has no room.
 * The scores differ from the model's own in their last digits.
 */
export async function scoreInBulk(
  { model, examiner, count }: { readonly model: Model; readonly examiner: Examiner; readonly count: number },
  device: Device,
  tell: (scores: Float32Array | undefined) => void,
): Promise<void> {
  const factors = examiner.ranksAmongAll ? FactorMatrices.of(model) : undefined;
  const { items } = model;
  const rows = Math.min(count, Math.max(1, Math.floor(SCORES_MAX / items)));
  if (!factors || items === 0 || rows * items * factors.width < device.crossover) return;
  let next = 0;
  const scoreAll = async (on: Workspace): Promise<void> => {
    const table = await Table.upload(on, factors, items);
    while (next < count) {
      const queries = Array.from({ length: Math.min(rows, count - next) }, (_, n) => examiner.query(model, next + n));
      const scoresOf = await table.score(queries);
      for (const place of queries.keys()) {
        tell(scoresOf(place));
        next++;
      }
    }
  };
  try {
    // When it fails half way it is done again from where it was.
    await device.run(scoreAll);
  } catch (error) {
    if (!(error instanceof AccreteError) || error.reason !== 'DEVICE_FULL') throw error;
  }
}

/** All items, on a device; in parts, so that no more than one is here. */
class Table {
  readonly #on: Workspace;
  readonly #factors: FactorMatrices;
  readonly #items: number;
  readonly #tiles: { readonly from: number; readonly vectors: Matrix; readonly bias: Matrix }[] = [];

  private constructor(on: Workspace, factors: FactorMatrices, items: number) {
    this.#on = on;
    this.#factors = factors;
    this.#items = items;
  }

  static async upload(on: Workspace, factors: FactorMatrices, items: number): Promise<Table> {
    const table = new Table(on, factors, items);
    const size = Math.ceil(TILE / factors.width);
    for (let from = 0; from < items; from += size) {
      const to = Math.min(items, from + size);
      const { vectors, biases } = factors.reserve(to - from);
      factors.copyItems(from, to, { vectors, biases });
      const parts = { vectors: on.upload(vectors, to - from, factors.width), bias: on.upload(biases, 1, to - from) };
      table.#tiles.push({ from, ...parts });
      await on.settle();
    }
    return table;
  }

  /** What all items score for each query, by its place; undefined where that is no product. */
  async score(queries: readonly Query[]): Promise<(place: number) => Float32Array | undefined> {
    const { vectors, places } = this.#factors.copyUsers(queries);
    if (places.length === 0) return () => undefined;
    const on = this.#on;
    const users = on.upload(vectors, places.length, this.#factors.width);
    const all = new Float32Array(places.length * this.#items);
    for (const { from, vectors: items, bias } of this.#tiles) {
      const scores = on.scoreBatch(users, items, bias);
      const values = await on.read(scores);
      on.free(scores);
      for (let row = 0; row < places.length; row++) {
        const own = values.subarray(row * items.rows, (row + 1) * items.rows);
        all.set(own, row * this.#items + from);
      }
    }
    on.free(users);
    const rowOf = new Map(places.map((place, row) => [place, row]));
    return (place) => {
      const row = rowOf.get(place);
      return row === undefined ? undefined : all.subarray(row * this.#items, (row + 1) * this.#items);
    };
  }
}
