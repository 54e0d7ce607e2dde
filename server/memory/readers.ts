import assert from 'node:assert/strict';
import { type Arena, HEADER } from './arena.ts';

/**
 * When memory may be reused (epoch-based reclamation, Fraser 2004). A reader marks the stretch in which it holds
 * addresses; the one writer retires a block, and frees it once every reader has left the stretch it was in then.
 */

export const READERS_MAX = 64;
/** What a reader's word says while it holds no address. Epochs are odd, so that none is taken for it. */
const OUTSIDE = 0;
const FIRST_EPOCH = 1;
const EPOCH_STEP = 2;
/** A reader that stays longer than this is taken for one that was ended. */
const DRAIN_MS = 1000;
/** A writer that never finds time to collect does so when it has retired this much. */
const COLLECT_BYTES = 1024 * 1024;

interface Retired {
  readonly address: number;
  readonly bytes: number;
  readonly epoch: number;
}

/** The writer's side: the learner thread. */
export class Reclaimer {
  readonly #arena: Arena;
  readonly #words: Uint32Array;
  readonly #retired: Retired[] = [];
  /** What a checkpoint that is being written may still read; undefined: none is. */
  #held: Omit<Retired, 'epoch'>[] | undefined;
  #bytesSinceCollect = 0;
  /** A word that nobody sets. */
  readonly #pause = new Int32Array(new SharedArrayBuffer(4));

  constructor(arena: Arena) {
    this.#arena = arena;
    this.#words = words(arena);
  }

  /** Frees a block that is no longer reachable, when no reader can still hold its address. The writer lets go of it now. */
  retire(address: number, bytes: number): void {
    const epoch = Atomics.add(this.#words, 0, EPOCH_STEP);
    this.#retired.push({ address, bytes, epoch });
    this.#bytesSinceCollect += bytes;
    if (this.#bytesSinceCollect >= COLLECT_BYTES) this.collect();
  }

  /** The same of a block that a checkpoint saves. */
  retireState(address: number, bytes: number): void {
    if (this.#held) this.#held.push({ address, bytes });
    else this.retire(address, bytes);
  }

  /** A checkpoint begins: until `release` nothing of the state is freed. */
  hold(): void {
    this.#held ??= [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const { address, bytes } of held) this.retire(address, bytes);
  }

  /** Frees what may be freed. */
  collect(): void {
    this.#bytesSinceCollect = 0;
    if (this.#retired.length === 0) return;
    const now = Atomics.load(this.#words, 0);
    const oldest = this.#oldestReader(now);
    let kept = 0;
    for (const block of this.#retired) {
      if (ageOf(block.epoch, now) > oldest) this.#arena.free(block.address, block.bytes);
      else this.#retired[kept++] = block;
    }
    this.#retired.length = kept;
  }

  /** Frees all that was retired, as soon as the readers have left that are inside now. */
  drain(): void {
    this.collect();
    for (let ms = 0; this.#retired.length > 0 && ms < DRAIN_MS; ms++) {
      Atomics.wait(this.#pause, 0, 0, 1);
      this.collect();
    }
  }

  /** How long ago the reader that has been inside for longest went in; 0 when all are outside. */
  #oldestReader(now: number): number {
    let oldest = 0;
    for (let reader = 1; reader <= READERS_MAX; reader++) {
      const epoch = Atomics.load(this.#words, reader);
      if (epoch !== OUTSIDE) oldest = Math.max(oldest, ageOf(epoch, now));
    }
    return oldest;
  }
}

/** The reader's side: one for each serving thread. */
export class Reader {
  readonly #words: Uint32Array;
  readonly #slot: number;

  /** `reader` numbers the serving threads from 0. */
  constructor(arena: Arena, reader: number) {
    assert(reader < READERS_MAX, `there are readers 0 to ${READERS_MAX - 1}, and no reader ${reader}`);
    this.#words = words(arena);
    this.#slot = reader + 1;
  }

  /** Runs `read`, which must be synchronous and not nested; addresses that it saw are void afterwards. */
  run<T>(read: () => T): T {
    assert(Atomics.load(this.#words, this.#slot) === OUTSIDE, 'a reader is inside already');
    let epoch: number;
    do {
      epoch = Atomics.load(this.#words, 0);
      Atomics.store(this.#words, this.#slot, epoch);
    } while (Atomics.load(this.#words, 0) !== epoch);
    try {
      return read();
    } finally {
      Atomics.store(this.#words, this.#slot, OUTSIDE);
    }
  }
}

/** Word 0 is the epoch, word 1 + r what reader r is in. */
function words(arena: Arena): Uint32Array {
  const view = new Uint32Array(arena.memory.buffer, HEADER.readers, 1 + READERS_MAX);
  Atomics.compareExchange(view, 0, 0, FIRST_EPOCH);
  return view;
}

/** Epochs wrap, their differences do not. */
function ageOf(epoch: number, now: number): number {
  return (now - epoch) >>> 0;
}
