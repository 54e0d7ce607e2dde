import type { Device, Workspace } from '../../../plugins/contract/index.ts';
import { AccreteError } from '../../errors.ts';
import { FactorMatrices } from '../../models/factor-matrices.ts';
import type { Model } from '../../models/model.ts';
import type { Examiner } from './examiner.ts';

/** Scores that are taken from the device at a time. */
const SCORES_MAX = 2 ** 21;

/**
 * Ranks observations among all items by products on a device, many at once, and tells of them in order; it begins with
 * observation 0. It leaves off before the last where the rest is better done one by one: when the model does not multiply, when
 * the device is slower than that, and when it has no room. The scores differ from the model's own in their last digits.
 */
export async function rankInBulk(
  { model, examiner, count }: { readonly model: Model; readonly examiner: Examiner; readonly count: number },
  device: Device,
  tell: (n: number, rank: number) => void,
): Promise<void> {
  const factors = examiner.ranksAmongAll ? FactorMatrices.of(model) : undefined;
  const { items } = model;
  const rows = Math.min(count, Math.max(1, Math.floor(SCORES_MAX / items)));
  if (!factors || items === 0 || rows * items * factors.width < device.crossover) return;
  let next = 0;
  const rankAll = async (on: Workspace): Promise<void> => {
    const { vectors, biases } = factors.copyItems(0, items);
    const [table, bias] = [on.upload(vectors, items, factors.width), on.upload(biases, 1, items)];
    while (next < count) {
      const queries = Array.from({ length: Math.min(rows, count - next) }, (_, n) => examiner.query(model, next + n));
      const asked = factors.copyUsers(queries);
      const scores = await multiply(on, asked.vectors, factors.width, (users) => on.scoreBatch(users, table, bias));
      const placeOf = new Map(asked.places.map((place, row) => [place, row]));
      for (const place of queries.keys()) {
        const row = placeOf.get(place);
        const known = row === undefined ? undefined : scores.subarray(row * items, (row + 1) * items);
        tell(next, examiner.rank(model, next, known));
        next++;
      }
    }
  };
  try {
    // When it fails half way it is done again from where it was.
    await device.run(rankAll);
  } catch (error) {
    if (!(error instanceof AccreteError) || error.reason !== 'DEVICE_FULL') throw error;
  }
}

/** What comes of the vectors of users; nothing when there are none. */
async function multiply(
  on: Workspace,
  vectors: Float32Array,
  width: number,
  score: (users: ReturnType<Workspace['upload']>) => ReturnType<Workspace['upload']>,
): Promise<Float32Array> {
  if (vectors.length === 0) return vectors;
  const scores = on.tidy(() => score(on.upload(vectors, vectors.length / width, width)));
  const values = await on.read(scores);
  on.free(scores);
  return values;
}
