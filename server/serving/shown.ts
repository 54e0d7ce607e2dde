import { createHash } from 'node:crypto';
import { findTokenBytes } from './page-token.ts';

/**
 * Page tokens of recommendations: what was shown already, so that no item comes twice whatever was learned meanwhile, and
 * the model that answered. They hold all of it themselves: a server that was started anew knows as much.
 */

export interface Shown {
  /** The model that answered the first page; "" for none. */
  readonly model: string;
  /** What was shown: rows of items or, where candidates were given, their places in that list. */
  readonly entries: readonly number[];
}

/** After so many items there is no next page. */
export const SHOWN_MAX = 10_000;
/** Rows are numbers of 32 bits. */
const ENTRY_MAX = 2 ** 32 - 1;
const FINGERPRINT_BYTES = 8;

/** A token for the request whose identity is `request`, bytes that all its pages share. */
export function encodeShown({ model, entries }: Shown, request: Uint8Array): string {
  const name = Buffer.from(model);
  const bytes = [name.length, ...name];
  let before = 0;
  for (const entry of [...entries].sort((a, b) => a - b)) {
    writeVarint(bytes, entry - before);
    before = entry;
  }
  const content = Buffer.from(bytes);
  return Buffer.concat([fingerprint(content, request), content]).toString('base64url');
}

/** Undefined for what `encodeShown` did not make for the same request. */
export function findShown(token: string, request: Uint8Array): Shown | undefined {
  const bytes = findTokenBytes(token);
  const content = bytes?.subarray(FINGERPRINT_BYTES);
  if (!bytes || !content?.length) return undefined;
  if (!bytes.subarray(0, FINGERPRINT_BYTES).equals(fingerprint(content, request))) return undefined;
  const end = 1 + content[0];
  const entries: number[] = [];
  let last = 0;
  for (let at = end; at < content.length; ) {
    let value = 0;
    let shift = 1;
    for (; content[at] >= 0x80; at++, shift *= 128) value += (content[at] & 0x7f) * shift;
    last += value + content[at++] * shift;
    // NaN, which comes of a number that is cut off, is no entry either; Infinity could never be written again.
    if (!(last <= ENTRY_MAX) || entries.push(last) > SHOWN_MAX) return undefined;
  }
  return { model: content.toString('utf8', 1, end), entries };
}

/** Tells tokens of other requests, and damaged ones; it is no protection against forgery, which could only hide items. */
function fingerprint(content: Uint8Array, request: Uint8Array): Buffer {
  return createHash('sha1').update(content).update(request).digest().subarray(0, FINGERPRINT_BYTES);
}

function writeVarint(bytes: number[], value: number): void {
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  bytes.push(rest);
}
