/** Bytes that come in pieces of any size, taken in pieces as they are needed. */
export class ByteSource {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #left: Uint8Array = new Uint8Array();
  #taken = 0;

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  /** How many were taken. */
  get taken(): number {
    return this.#taken;
  }

  /** Up to `bytesMax` of what comes next, valid until the next call; undefined at the end. */
  async take(bytesMax: number): Promise<Uint8Array | undefined> {
    while (this.#left.length === 0) {
      const { done, value } = await this.#pieces.next();
      if (done) return undefined;
      this.#left = value;
    }
    const piece = this.#left.subarray(0, bytesMax);
    this.#left = this.#left.subarray(piece.length);
    this.#taken += piece.length;
    return piece;
  }

  /** Exactly so many bytes, a copy; fewer at the end. */
  async read(bytes: number): Promise<Buffer> {
    const whole = Buffer.alloc(bytes);
    let filled = 0;
    while (filled < bytes) {
      const piece = await this.take(bytes - filled);
      if (!piece) break;
      whole.set(piece, filled);
      filled += piece.length;
    }
    return whole.subarray(0, filled);
  }
}
