import { type Input, NO_ROW, type Query, type Scorer, type WritableAddress } from '../../plugins/contract/index.ts';
import type { Arena } from '../memory/arena.ts';
import { Scratch } from '../memory/scratch.ts';

/** What others see of a model. */
export interface Peer {
  readonly name: string;
  readonly arena: Arena;
  readonly prequential: { readonly quarantinedAt: number };
  readonly predicts: boolean;
  readonly items: number;
  readonly scorer: Scorer;
  readonly ranksStrangers: boolean;
  knowsUser(row: number): boolean;
  knowsItem(row: number): boolean;
  user(row: number): number;
  expect(query: Query, item: number): number;
}

/** The models that serve together, by name: so those see each other that have others as inputs. */
export class Peers {
  #models: ReadonlyMap<string, Peer> = new Map();

  /** These, and no others, from here on; of two versions of a model the first. */
  settle(models: readonly Peer[]): void {
    this.#models = new Map(models.map((model) => [model.name, model] as const).toReversed());
  }

  /** The model of that name that serves; undefined while none does, or when it failed. */
  find(name: string): Peer | undefined {
    const model = this.#models.get(name);
    return model && model.prequential.quarantinedAt === 0 ? model : undefined;
  }
}

/** A peer as the plugin of a model in `arena` sees it. The peer may come, go and be replaced meanwhile. */
export class PeerInput implements Input {
  readonly name: string;
  readonly #peers: Peers;
  readonly #arena: Arena;
  /** Where a peer writes scores whose tables are in another memory. */
  #abroad: { readonly arena: Arena; readonly scratch: Scratch } | undefined;
  readonly #query: { user: number; time: number } = { user: 0, time: 0 };

  constructor(name: string, peers: Peers, arena: Arena) {
    this.name = name;
    this.#peers = peers;
    this.#arena = arena;
  }

  get peer(): Peer | undefined {
    return this.#peers.find(this.name);
  }

  predict(query: Query, item: number): number {
    const { peer } = this;
    return peer?.predicts ? peer.expect(this.#ask(peer, query), item < peer.items ? item : NO_ROW) : Number.NaN;
  }

  score(head: string, query: Query, spans: Uint32Array, spanCount: number, out: WritableAddress): boolean {
    const { peer } = this;
    const scorer = head === '' ? peer?.scorer : { score: peer?.scorer.heads?.[head] };
    if (!peer || !scorer?.score) return false;
    const asked = this.#ask(peer, query);
    if (peer.arena === this.#arena) {
      scorer.score(asked, spans, spanCount, out);
      return true;
    }
    let count = 0;
    for (let span = 0; span < spanCount; span++) count += spans[2 * span + 1] - spans[2 * span];
    const there = this.#reserve(peer.arena, 4 * count);
    scorer.score(asked, spans, spanCount, there as WritableAddress);
    this.#arena.f32.set(peer.arena.f32.subarray(there >>> 2, (there >>> 2) + count), out >>> 2);
    return true;
  }

  vector(item: number, out: WritableAddress): number {
    const { peer } = this;
    const vectors = peer?.scorer.vectors;
    if (!peer || !vectors || item >= peer.items) return 0;
    const from = vectors.of(item) >>> 2;
    this.#arena.f32.set(peer.arena.f32.subarray(from, from + vectors.width), out >>> 2);
    return vectors.width;
  }

  release(): void {
    this.#abroad?.scratch.release();
    this.#abroad = undefined;
  }

  #ask(peer: Peer, { user, time }: Query): Query {
    this.#query.user = user === NO_ROW ? NO_ROW : peer.user(user);
    this.#query.time = time;
    return this.#query;
  }

  #reserve(arena: Arena, bytes: number): number {
    if (this.#abroad?.arena !== arena) {
      this.release();
      this.#abroad = { arena, scratch: new Scratch(arena) };
    }
    return this.#abroad.scratch.reserve(bytes);
  }
}
