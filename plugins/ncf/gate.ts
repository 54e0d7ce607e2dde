import { exponentOf, type Memory, type ReadTables, type WritableMemory } from '../contract/index.ts';
import type { NcfConfig } from './config.ts';
import { BUCKETS, type NcfTables } from './tables.ts';

/** What the biases missed of ratings of 1 to 5 is no more than this. */
export const SAID_MAX = 4;

interface GateContext {
  readonly config: NcfConfig;
  readonly tables: ReadTables<NcfTables>;
  readonly memory: Memory;
}

/** How much of what the network says counts: the least squares of what the biases missed on what it said. */
export class Gate {
  readonly #config: NcfConfig['gate'];
  readonly #memory: Memory;
  readonly #ofUser;
  readonly #ofItem;
  readonly hits: number;
  readonly squares: number;

  constructor({ config, tables, memory }: GateContext) {
    this.#config = config.gate;
    this.#memory = memory;
    this.#ofUser = tables.users.column('ratings');
    this.#ofItem = tables.items.column('ratings');
    this.hits = tables.model.column('hits')(0) >>> 3;
    this.squares = tables.model.column('squares')(0) >>> 3;
  }

  /** By how many ratings whoever of the two has fewer has. */
  bucket(user: number, item: number): number {
    const { u32: words } = this.#memory;
    const ratings = Math.min(words[this.#ofUser(user) >>> 2], words[this.#ofItem(item) >>> 2]);
    return Math.min(BUCKETS - 1, exponentOf(1 + ratings));
  }

  openness(bucket: number): number {
    const { fixed, prior } = this.#config;
    if (fixed !== undefined) return fixed;
    const { f64: doubles } = this.#memory;
    const share = doubles[this.hits + bucket] / (doubles[this.squares + bucket] + prior);
    return Math.min(1, Math.max(0, share));
  }
}

/** `missed`: by how much the biases missed a rating that neither they nor the network had learned. */
export function observe(
  gate: Gate,
  { f64: doubles }: WritableMemory,
  bucket: number,
  said: number,
  missed: number,
  weight: number,
  forgetting: number,
): void {
  const { hits, squares } = gate;
  doubles[hits + bucket] = forgetting * doubles[hits + bucket] + weight * said * missed;
  doubles[squares + bucket] = forgetting * doubles[squares + bucket] + weight * said * said;
}

export const bounded = (said: number) => Math.min(SAID_MAX, Math.max(-SAID_MAX, said));
