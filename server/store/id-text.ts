/** C0, DEL and C1, which no id may have. `bytes` is valid UTF-8. */
export function hasControlCharacter(bytes: Uint8Array, start: number, length: number): boolean {
  for (let at = start; at < start + length; at++) {
    const byte = bytes[at];
    if (byte < 0x20 || byte === 0x7f || (byte === 0xc2 && bytes[at + 1] < 0xa0)) return true;
  }
  return false;
}
