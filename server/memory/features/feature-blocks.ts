import type { Arena } from '../arena.ts';

/**
 * What is known of one row, as one block that is never changed: how many bytes the message has, how many numbers and
 * terms there are, a word of zeros; the numbers as (f64 value, u32 field, u32 0); the terms, u32 each; the message.
 * Address 0 serves as the block of a row of which nothing is known. A block is named by the index of its first word.
 */

const HEAD_WORDS = 4;
export const NUMBER_WORDS = 4;
/** Blocks come in four sizes to each doubling, so that one which is given back fits another. */
const SIZES_TO_A_DOUBLING = 4;
const LEAST_BYTES = 64;

export interface IndexedNumber {
  readonly field: number;
  readonly value: number;
}

/** Makes a block and returns its address. Throws MEMORY_FULL. */
export function makeBlock(
  arena: Arena,
  message: Uint8Array,
  numbers: readonly IndexedNumber[],
  terms: readonly number[],
): number {
  const address = arena.allocate(allocatedBytes(usedBytes(message.length, numbers.length, terms.length)));
  const { u32: words, f64: doubles, u8 } = arena;
  const block = address >>> 2;
  words[block] = message.length;
  words[block + 1] = numbers.length;
  words[block + 2] = terms.length;
  let at = numbersOf(block);
  for (const { field, value } of numbers) {
    doubles[at >>> 1] = value;
    words[at + 2] = field;
    at += NUMBER_WORDS;
  }
  words.set(terms, at);
  u8.set(message, 4 * (at + terms.length));
  return address;
}

/** Makes a block of the bytes of another one (`bytesOf`), and returns its address. Throws MEMORY_FULL. */
export function copyBlock(arena: Arena, bytes: Uint8Array): number {
  const address = arena.allocate(allocatedBytes(bytes.length));
  arena.u8.set(bytes, address);
  return address;
}

export const messageBytesOf = (words: Uint32Array, block: number): number => words[block];
export const numberCountOf = (words: Uint32Array, block: number): number => words[block + 1];
export const termCountOf = (words: Uint32Array, block: number): number => words[block + 2];
/** The word at which the numbers begin; each is NUMBER_WORDS long: the value, then the field. */
export const numbersOf = (block: number): number => block + HEAD_WORDS;
/** The word at which the terms begin. */
export const termsOf = (words: Uint32Array, block: number): number =>
  block + HEAD_WORDS + NUMBER_WORDS * words[block + 1];
/** The byte at which the message begins. */
export const messageOf = (words: Uint32Array, block: number): number =>
  4 * (termsOf(words, block) + termCountOf(words, block));

/** Bytes of a block that say something. */
export function bytesOf(words: Uint32Array, block: number): number {
  return usedBytes(messageBytesOf(words, block), numberCountOf(words, block), termCountOf(words, block));
}

/** Bytes that a block was given. */
export function allocatedBytesOf(words: Uint32Array, block: number): number {
  return allocatedBytes(bytesOf(words, block));
}

/** At most what `blocks` blocks of `messageBytes` together, with `values` numbers and terms, are given. */
export function blocksBytesMax(blocks: number, messageBytes: number, values: number): number {
  const bytes = usedBytes(messageBytes, values, values) + 4 * HEAD_WORDS * blocks;
  return bytes * (1 + 1 / SIZES_TO_A_DOUBLING) + LEAST_BYTES * blocks;
}

function usedBytes(messageBytes: number, numbers: number, terms: number): number {
  return 4 * (HEAD_WORDS + NUMBER_WORDS * numbers + terms) + messageBytes;
}

function allocatedBytes(bytes: number): number {
  const step = Math.max(LEAST_BYTES, 2 ** Math.floor(Math.log2(bytes)) / SIZES_TO_A_DOUBLING);
  return Math.ceil(bytes / step) * step;
}
