import assert from 'node:assert/strict';

/** The blocks of a tar archive, in the form of POSIX (ustar): plain files alone, named by letters, digits and `/_.@-`. */

export const BLOCK_BYTES = 512;
/** An archive ends with two blocks of zeros. */
export const END = Buffer.alloc(2 * BLOCK_BYTES);
/** Eleven octal digits. */
export const ENTRY_BYTES_MAX = 8 ** 11 - 1;

export interface TarEntry {
  readonly path: string;
  readonly bytes: number;
}

const PATH = /^[A-Za-z0-9_@-][A-Za-z0-9_.@-]*(\/[A-Za-z0-9_@-][A-Za-z0-9_.@-]*)*$/;
const NAME_AT = { at: 0, length: 100 };
const SIZE_AT = { at: 124, length: 12 };
const SUM_AT = { at: 148, length: 8 };
const PREFIX_AT = { at: 345, length: 155 };
const TYPE_AT = 156;
const PLAIN = 48; // '0'

/** What stands before the bytes of an entry. `timeMs`: of its last change, in milliseconds since 1970. */
export function encodeHeader({ path, bytes }: TarEntry, timeMs: number): Buffer {
  assert(PATH.test(path) && bytes <= ENTRY_BYTES_MAX, `${path} of ${bytes} bytes is no entry of an archive`);
  const header = Buffer.alloc(BLOCK_BYTES);
  const [prefix, name] = divide(path);
  header.write(name, NAME_AT.at);
  header.write(prefix, PREFIX_AT.at);
  for (const [at, value, length] of [
    [100, 0o644, 8],
    [108, 0, 8],
    [116, 0, 8],
    [SIZE_AT.at, bytes, 12],
    [136, Math.floor(timeMs / 1000), 12],
  ] as const)
    header.write(octal(value, length), at);
  header[TYPE_AT] = PLAIN;
  header.write('ustar\x0000', 257);
  header.write(`${octal(sumOf(header), 7)}\0 `, SUM_AT.at);
  return header;
}

/** What a header says; undefined for a block of zeros. A text says why it is none. */
export function decodeHeader(header: Buffer): TarEntry | string | undefined {
  if (header.every((byte) => byte === 0)) return undefined;
  if (textAt(header, { at: 257, length: 5 }) !== 'ustar') return 'it is no archive of tar';
  if (Number.parseInt(textAt(header, SUM_AT), 8) !== sumOf(header)) return 'the checksum of a header is wrong';
  const [prefix, name, size] = [PREFIX_AT, NAME_AT, SIZE_AT].map((field) => textAt(header, field));
  const path = prefix === '' ? name : `${prefix}/${name}`;
  const bytes = Number.parseInt(size, 8);
  if (header[TYPE_AT] !== PLAIN || !PATH.test(path) || !(bytes >= 0)) return `it has an entry ${JSON.stringify(path)}`;
  return { path, bytes };
}

/** Zeros between the end of an entry of so many bytes and the next block. */
export function paddingOf(bytes: number): number {
  return (BLOCK_BYTES - (bytes % BLOCK_BYTES)) % BLOCK_BYTES;
}

/** A long path stands in two fields, parted at a slash. */
function divide(path: string): readonly [prefix: string, name: string] {
  if (path.length <= NAME_AT.length) return ['', path];
  const slash = path.indexOf('/', path.length - NAME_AT.length - 1);
  assert(slash > 0 && slash <= PREFIX_AT.length, `the path ${path} is too long for an archive`);
  return [path.slice(0, slash), path.slice(slash + 1)];
}

/** With a zero at its end. */
function octal(value: number, length: number): string {
  return `${value.toString(8).padStart(length - 1, '0')}${length === 7 ? '' : '\0'}`;
}

/** The sum of a header's bytes, those of the sum itself taken as spaces. */
function sumOf(header: Buffer): number {
  let sum = 32 * SUM_AT.length;
  for (let n = 0; n < header.length; n++) if (n < SUM_AT.at || n >= SUM_AT.at + SUM_AT.length) sum += header[n];
  return sum;
}

function textAt(header: Buffer, { at, length }: { readonly at: number; readonly length: number }): string {
  const field = header.toString('latin1', at, at + length);
  const end = field.indexOf('\0');
  return end < 0 ? field : field.slice(0, end);
}
