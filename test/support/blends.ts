import { type FuseSource, FuseStrategy } from '../../proto/gen/accrete/v1/fuse.ts';
import { readMovieLensSmall } from '../data.ts';
import type { Client } from './client.ts';
import { batchesOf } from './ratings.ts';

/** Two models of other ranks that learn MovieLens, and what is asked of the first when it is blended. */

export const data = readMovieLensSmall();
export const SMALL = { k: 8, replay: { count: 1 }, sequence: { k: 4 } };
export const live = { name: 'live', plugin: 'mf', config: SMALL };
export const wide = { name: 'wide', plugin: 'mf', config: { ...SMALL, seed: 2, k: 12 } };
export const BLEND = FuseStrategy.FUSE_STRATEGY_BLEND;

export const models = (...names: string[]): FuseSource[] =>
  names.map((value) => ({ source: { $case: 'model', value } }));

export async function learn(client: Client, from: number, to: number): Promise<void> {
  for (const batch of batchesOf(data, from, to, 200)) await client.rate(batch);
}

/** Of `live`. */
export async function stateOf(client: Client) {
  const { hash, hashes, model } = await client.getModel('live');
  const { plugin, version, config: settings } = model ?? {};
  return { hash, tables: hashes?.tables, plugin, version, settings };
}
