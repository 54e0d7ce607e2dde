import { createHash, type Hash } from 'node:crypto';
import { AccreteError } from '../../errors.ts';
import { firstRevisionOf } from '../link-chain.ts';
import { decodeRecord } from '../record.ts';
import { ByteSource } from './byte-source.ts';
import { decodeFacts, FACTS, type Facts, fileDamaged, foreign, SUMS } from './facts.ts';
import { sumLine } from './pack.ts';
import { BLOCK_BYTES, decodeHeader, END, paddingOf, type TarEntry } from './tar.ts';

/** Reads a file that `packStore` wrote, and checks every byte of it. */

/** Takes what is in the file as it comes; all of it is certain only when `unpackStore` has resolved. */
export interface Taker {
  /** The first of all. */
  begin(facts: Facts): Promise<void>;
  /** A file of the store, by its path in it, in pieces that are valid until the next one. */
  file(path: string, content: AsyncIterable<Uint8Array>): Promise<void>;
  /** The next records of the journal. */
  records(records: readonly Uint8Array[]): Promise<void>;
}

/** What was in it. */
export interface Unpacked extends Facts {
  readonly files: number;
  readonly records: number;
  readonly bytes: number;
}

/** More than the largest entry of facts, and of sums. */
const FACTS_BYTES_MAX = 64 * 1024;
const SUMS_BYTES_MAX = 256 * 1024 * 1024;
/** More than an entry of records may have. */
const PART_BYTES_MAX = 128 * 1024 * 1024;
const PIECE_BYTES = 1024 * 1024;
/** A checkpoint's file, a file of a kept version, records. */
const PATH = /^(state|state\/versions\/[^/]+|journal)\/([^/]+)$/;

/**
 * `file`: its name, for messages. `onBytes` hears how many bytes were read. Throws FILE_DAMAGED, FILE_FOREIGN,
 * STORE_TOO_NEW, and what the taker throws.
 */
export function unpackStore(
  pieces: AsyncIterable<Uint8Array>,
  file: string,
  taker: Taker,
  onBytes: (bytes: number) => void = () => {},
): Promise<Unpacked> {
  return new Unpacking(pieces, file, taker, onBytes).run();
}

class Unpacking {
  readonly #source: ByteSource;
  readonly #file: string;
  readonly #taker: Taker;
  readonly #onBytes: (bytes: number) => void;
  #sums = '';
  readonly #files = new Set<string>();
  #records = 0;
  /** Whether the file of the checkpoint itself was there. */
  #hasCheckpoint = false;

  constructor(pieces: AsyncIterable<Uint8Array>, file: string, taker: Taker, onBytes: (bytes: number) => void) {
    this.#source = new ByteSource(pieces);
    this.#file = file;
    this.#taker = taker;
    this.#onBytes = onBytes;
  }

  async run(): Promise<Unpacked> {
    const facts = await this.#facts();
    await this.#taker.begin(facts);
    for (;;) {
      const entry = await this.#header();
      if (!entry) throw this.#damaged(`${SUMS} is missing`);
      if (entry.path === SUMS) {
        await this.#compareSums(entry);
        break;
      }
      await this.#entry(entry, facts);
    }
    await this.#end();
    const { revision, journalFrom } = facts;
    const expected = journalFrom === undefined ? 0 : revision - journalFrom + 1;
    if (this.#records !== expected) throw this.#damaged(`it has ${this.#records} records, and should have ${expected}`);
    if (!this.#hasCheckpoint) throw this.#damaged('the checkpoint itself is not in it');
    return { ...facts, files: this.#files.size, records: this.#records, bytes: this.#source.taken };
  }

  async #facts(): Promise<Facts> {
    const header = await this.#source.read(BLOCK_BYTES);
    if (header.length === 0) throw this.#damaged('it is empty');
    const entry = decodeHeader(header);
    if (typeof entry !== 'object' || entry.path !== FACTS || entry.bytes > FACTS_BYTES_MAX) throw foreign(this.#file);
    return decodeFacts(await this.#whole(entry), this.#file);
  }

  async #entry(entry: TarEntry, facts: Facts): Promise<void> {
    const { path } = entry;
    const [, folder = '', name = ''] = PATH.exec(path) ?? [];
    const isFile = folder.startsWith('state');
    const first = firstRevisionOf(isFile ? name : name.replace(/\.records$/, '.mdb'));
    if (first === undefined || this.#files.has(path)) throw this.#damaged(`it has an entry ${path}`);
    if (isFile) {
      this.#files.add(path);
      this.#hasCheckpoint ||= folder === 'state' && first === facts.revision;
      const hash = createHash('sha256');
      await this.#taker.file(path, this.#content(entry, hash));
      await this.#padding(entry, hash);
    } else {
      if (first !== (facts.journalFrom ?? 0) + this.#records) throw this.#damaged(`${path} comes out of its order`);
      if (entry.bytes > PART_BYTES_MAX) throw this.#damaged(`${path} has ${entry.bytes} bytes`);
      await this.#taker.records(this.#split(await this.#whole(entry), first));
    }
    this.#onBytes(this.#source.taken);
  }

  /** Records, each after its length. */
  #split(bytes: Buffer, first: number): Uint8Array[] {
    const records: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; ) {
      const end = at + 4 <= bytes.length ? at + 4 + bytes.readUInt32LE(at) : Number.POSITIVE_INFINITY;
      if (end > bytes.length) throw this.#damaged(`revision ${first + records.length} runs past its entry`);
      const record = bytes.subarray(at + 4, end);
      this.#check(record, first + records.length);
      records.push(record);
      at = end;
    }
    this.#records += records.length;
    return records;
  }

  #check(record: Uint8Array, revision: number): void {
    try {
      decodeRecord(record, revision);
    } catch (error) {
      if (AccreteError.wrap(error).reason !== 'STORE_DAMAGED') throw error;
      throw this.#damaged((error as Error).message, error);
    }
  }

  async #compareSums(entry: TarEntry): Promise<void> {
    const expected = this.#sums;
    if (entry.bytes > SUMS_BYTES_MAX) throw this.#damaged(`${SUMS} has ${entry.bytes} bytes`);
    const found = (await this.#whole(entry)).toString().split('\n');
    const lines = expected.split('\n');
    const n = lines.findIndex((line, n) => line !== found[n]);
    if (n >= 0) throw this.#damaged(`${lines[n].slice(66) || SUMS} is not as it was written`);
    if (found.length !== lines.length) throw this.#damaged(`${SUMS} names more than there is`);
  }

  async #end(): Promise<void> {
    const rest = await this.#source.read(END.length + 1);
    if (!rest.equals(END)) throw this.#damaged(rest.length < END.length ? 'its end is missing' : 'it does not end');
    this.#onBytes(this.#source.taken);
  }

  async #header(): Promise<TarEntry | undefined> {
    const header = await this.#source.read(BLOCK_BYTES);
    if (header.length < BLOCK_BYTES) throw this.#damaged('it ends before its end');
    const entry = decodeHeader(header);
    if (typeof entry === 'string') throw this.#damaged(entry);
    return entry;
  }

  async #whole(entry: TarEntry): Promise<Buffer> {
    const hash = createHash('sha256');
    const content = await this.#source.read(entry.bytes);
    if (content.length < entry.bytes) throw this.#damaged(`it ends within ${entry.path}`);
    hash.update(content);
    await this.#padding(entry, hash);
    return content;
  }

  async *#content({ path, bytes }: TarEntry, hash: Hash): AsyncGenerator<Uint8Array> {
    for (let left = bytes; left > 0; ) {
      const piece = await this.#source.take(Math.min(left, PIECE_BYTES));
      if (!piece) throw this.#damaged(`it ends within ${path}`);
      left -= piece.length;
      hash.update(piece);
      yield piece;
      this.#onBytes(this.#source.taken);
    }
  }

  async #padding({ path, bytes }: TarEntry, hash: Hash): Promise<void> {
    const padding = await this.#source.read(paddingOf(bytes));
    if (padding.length < paddingOf(bytes)) throw this.#damaged(`it ends after ${path}`);
    if (padding.some((byte) => byte !== 0)) throw this.#damaged(`${path} is longer than it was`);
    this.#sums += sumLine(hash.digest('hex'), path);
  }

  #damaged(what: string, cause?: unknown): AccreteError {
    return fileDamaged(this.#file, what, cause);
  }
}
