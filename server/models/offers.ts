import type { Plugin } from '../../plugins/contract/index.ts';
import { Arena } from '../memory/arena.ts';
import { Scale } from '../memory/scale.ts';
import { WritableWorld } from '../memory/world.ts';
import { Model } from './model.ts';
import type { ModelSpec } from './model-spec.ts';
import { Peers } from './peers.ts';
import { makeTables } from './writable-model.ts';

/** What a model can do for others that have it as an input. */
export interface Offers {
  readonly predicts: boolean;
  /** Names of its further rankings. */
  readonly heads: readonly string[];
  readonly hasVectors: boolean;
}

/** Of address space: what is not touched costs nothing. */
const BUDGET_BYTES = 256 * 2 ** 20;

/**
 * What a model shows only once it is there: one is made, over a memory of its own. Undefined: it cannot be made; why is said
 * where it is made to serve.
 */
export function offersOf({ plugin, spec }: { readonly plugin: Plugin; readonly spec: ModelSpec }): Offers | undefined {
  try {
    const arena = Arena.create(BUDGET_BYTES);
    const host = { arena, world: WritableWorld.create(arena, 0), scale: new Scale(1, 5), peers: new Peers() };
    const { predicts, scorer } = new Model(host, plugin, makeTables(arena, plugin, spec, 1));
    return { predicts, heads: Object.keys(scorer.heads ?? {}), hasVectors: scorer.vectors !== undefined };
  } catch {
    return undefined;
  }
}
