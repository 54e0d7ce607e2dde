import type { Arena } from '../../memory/arena.ts';
import type { Features } from '../../memory/features/features.ts';
import type { HostKernels } from '../../memory/kernels/host-kernels.ts';
import { Scratch } from '../../memory/scratch.ts';
import { type Condition, type Expression, printFilter } from './expression.ts';
import { type Matcher, type MatcherHost, matcherOf, widened } from './matchers.ts';

/**
 * Which item rows satisfy a filter, as bits. The bits of each condition are kept and brought up to date by the rows that
 * changed; those of an expression are put together anew by whole words. One thread's; everything inside `Reader.run`.
 */

/** What the kept conditions may take together, about; the one used longest ago goes first. */
const CACHE_BYTES_MAX = 32 * 2 ** 20;
/** What a condition takes besides its words and its text: its objects, and its place in the map. */
const CONDITION_BYTES = 1024;
/** Changed rows cost more than rows in order: from this part of all rows on, all are looked at. */
const CHANGED_PART = 1 / 8;

type Words = Uint32Array<ArrayBuffer>;

/** Void after the next call. */
export interface Mask {
  /** Where the words lie, for the kernel `applyMask`. */
  readonly address: number;
  /** Bit row % 32 of word row/32; those after the last row are 0. */
  readonly words: Uint32Array;
}

interface Kept {
  readonly matcher: Matcher;
  words: Words;
  /** Of the changes that `words` know. */
  serial: number;
  /** What it counts for in `cacheBytes`. */
  bytes: number;
}

export class FilterMasks {
  readonly #host: MatcherHost;
  readonly #cacheBytesMax: number;
  /** By the text of the condition, the one used last at the end. */
  readonly #kept = new Map<string, Kept>();
  #cacheBytes = 0;
  /** One for each depth of an expression. */
  readonly #scratch: Words[] = [];
  /** Where the kernels write, and the result. */
  readonly #out: Scratch;

  constructor(arena: Arena, kernels: HostKernels, features: Features, cacheBytesMax = CACHE_BYTES_MAX) {
    this.#host = { arena, kernels, features, scratch: new Scratch(arena) };
    this.#out = new Scratch(arena);
    this.#cacheBytesMax = cacheBytesMax;
  }

  /** Gives its scratch memory back. */
  release(): void {
    for (const scratch of [this.#host.scratch, this.#out]) scratch.release();
  }

  /** Bytes of the conditions that are kept, about. */
  get cacheBytes(): number {
    return this.#cacheBytes;
  }

  /**
   * Which of the rows 0 .. rows - 1 satisfy the expression. A comparison is false of a row of which nothing is known.
   * Throws MEMORY_FULL.
   */
  evaluate(expression: Expression, rows: number): Mask {
    const count = Math.ceil(rows / 32);
    const words = this.#evaluate(expression, rows, count, 0);
    const address = this.#out.reserve(4 * count);
    const mask = this.#wordsAt(address, count);
    mask.set(words.subarray(0, count));
    if (rows % 32 !== 0) mask[count - 1] &= 2 ** (rows % 32) - 1;
    this.#trim();
    return { address, words: mask };
  }

  /** Whether one row of `rows` satisfies the expression. Throws MEMORY_FULL. */
  holds(expression: Expression, row: number, rows: number): boolean {
    const isSo = this.#holds(expression, row, rows);
    this.#trim();
    return isSo;
  }

  #holds(expression: Expression, row: number, rows: number): boolean {
    switch (expression.type) {
      case 'not':
        return !this.#holds(expression.part, row, rows);
      case 'and':
        return expression.parts.every((part) => this.#holds(part, row, rows));
      case 'or':
        return expression.parts.some((part) => this.#holds(part, row, rows));
      default:
        return ((this.#condition(expression, rows)[row >>> 5] >>> (row & 31)) & 1) !== 0;
    }
  }

  #evaluate(expression: Expression, rows: number, count: number, depth: number): Words {
    if (expression.type === 'has' || expression.type === 'compare') return this.#condition(expression, rows);
    if (expression.type === 'not') {
      const part = this.#evaluate(expression.part, rows, count, depth + 1);
      const out = this.#scratchOf(depth, count);
      for (let n = 0; n < count; n++) out[n] = ~part[n];
      return out;
    }
    const out = this.#scratchOf(depth, count);
    for (const [place, part] of expression.parts.entries()) {
      const words = this.#evaluate(part, rows, count, depth + 1);
      if (place === 0) out.set(words.subarray(0, count));
      else if (expression.type === 'and') for (let n = 0; n < count; n++) out[n] &= words[n];
      else for (let n = 0; n < count; n++) out[n] |= words[n];
    }
    return out;
  }

  #scratchOf(depth: number, count: number): Words {
    this.#scratch[depth] ??= new Uint32Array(0);
    if (this.#scratch[depth].length < count) this.#scratch[depth] = widened(this.#scratch[depth], 32 * count);
    return this.#scratch[depth];
  }

  #condition(condition: Condition, rows: number): Words {
    const key = printFilter(condition);
    let kept = this.#kept.get(key);
    if (kept) this.#kept.delete(key);
    else {
      // Too long ago to be made up for.
      const serial = this.#host.features.changes.serial - 2 ** 31;
      kept = { matcher: matcherOf(this.#host, condition), words: new Uint32Array(0), serial, bytes: 0 };
    }
    this.#kept.set(key, kept);
    this.#update(kept, rows);
    const bytes = CONDITION_BYTES + 2 * key.length + kept.words.byteLength + kept.matcher.bytes;
    this.#cacheBytes += bytes - kept.bytes;
    kept.bytes = bytes;
    return kept.words;
  }

  #update(kept: Kept, rows: number): void {
    const { features } = this.#host;
    // Read before the rows: what changes meanwhile is looked at again the next time.
    const { serial } = features.changes;
    if (serial !== kept.serial >>> 0) {
      const changed = features.changes.since(kept.serial);
      const known = features.rows;
      if (known > 32 * kept.words.length) kept.words = widened(kept.words, known);
      kept.matcher.refresh();
      if (changed && changed.length < CHANGED_PART * known) for (const row of changed) this.#look(kept, row);
      else this.#lookAtAll(kept, known);
      kept.serial = serial;
    }
    if (rows > 32 * kept.words.length) kept.words = widened(kept.words, rows);
  }

  #look({ matcher, words }: Kept, row: number): void {
    const { arena, features } = this.#host;
    const out = this.#out.reserve(4);
    arena.u32[out >>> 2] = 0;
    features.eachPlaces(row, row + 1, (places, stride) => matcher.mark(places, stride, 1, out));
    if (arena.u32[out >>> 2] !== 0) words[row >>> 5] |= 1 << (row & 31);
    else words[row >>> 5] &= ~(1 << (row & 31));
  }

  #lookAtAll({ matcher, words }: Kept, known: number): void {
    const count = Math.ceil(known / 32);
    const out = this.#out.reserve(4 * count);
    const found = this.#wordsAt(out, count).fill(0);
    // A stretch begins at a multiple of 32: segments hold a larger power of two of rows.
    this.#host.features.eachPlaces(0, known, (places, stride, row, length) =>
      matcher.mark(places, stride, length, out + row / 8),
    );
    words.set(found);
  }

  #wordsAt(address: number, count: number): Uint32Array {
    return this.#host.arena.u32.subarray(address >>> 2, (address >>> 2) + count);
  }

  #trim(): void {
    for (const [key, { bytes }] of this.#kept) {
      if (this.#cacheBytes <= this.#cacheBytesMax) return;
      this.#kept.delete(key);
      this.#cacheBytes -= bytes;
    }
  }
}
