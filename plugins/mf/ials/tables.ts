import { f32, u32 } from '../../contract/index.ts';
import type { MfConfig } from '../config.ts';
import type { MfTables } from '../tables.ts';
import { gramColumns } from './gram.ts';

/**
 * p of users and q of items; `ratings`: their positives. Of items also `rank`, which strangers see, `known`: 1 with positives,
 * and `likeness`, that of `standing.ts`.
 */
export function ialsTables({ k, ials }: MfConfig): MfTables {
  const side = { vector: f32(k, ials.initialSd), ratings: u32() };
  const tables: Pick<MfTables, 'users' | 'items' | 'userGram' | 'itemGram'> = {
    users: { index: 'user', columns: side },
    items: { index: 'item', columns: { ...side, rank: f32(), known: f32(), likeness: f32() } },
    userGram: { index: 'model', columns: gramColumns(k) },
    itemGram: { index: 'model', columns: gramColumns(k) },
  };
  return tables as MfTables;
}
