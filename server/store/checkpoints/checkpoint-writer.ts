import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { makeFolderDurably, renameDurably } from '../durable-files.ts';
import { lockPathOf } from '../link-chain.ts';
import { Link } from '../lmdb.ts';
import { type CheckpointFolder, DRAFT } from './checkpoint-folder.ts';
import { encodeManifest, type Manifest, type Piece } from './manifest.ts';

/**
 * The file of a checkpoint that is being written, under another name until it is complete. Pieces are gathered, and
 * written in transactions of at most TRANSACTION_BYTES: a larger one would delay an append to the journal on the same disk.
 */

export const TRANSACTION_BYTES = 4 * 1024 * 1024;

export class CheckpointWriter {
  readonly #folder: CheckpointFolder;
  readonly #revision: number;
  readonly #link: Link;
  readonly #gathered = Buffer.alloc(TRANSACTION_BYTES);
  #records: Buffer[] = [];
  #used = 0;
  #next = 1;

  private constructor(folder: CheckpointFolder, revision: number, link: Link) {
    this.#folder = folder;
    this.#revision = revision;
    this.#link = link;
  }

  /** `mapBytes`: more than the file will have. Throws DISK_FULL. */
  static async create(folder: CheckpointFolder, revision: number, mapBytes: number): Promise<CheckpointWriter> {
    await makeFolderDurably(folder.path);
    const draft = folder.pathOf(revision) + DRAFT;
    rmSync(draft, { force: true });
    rmSync(lockPathOf(draft), { force: true });
    await Link.create(draft);
    return new CheckpointWriter(folder, revision, Link.open(draft, { mapBytes, readOnly: false }));
  }

  /** Room for a piece of `bytes`, which `add` then takes; waits until there is some. */
  async reserve(bytes: number): Promise<Buffer> {
    assert(bytes > 0 && bytes <= TRANSACTION_BYTES, `a piece has 1..${TRANSACTION_BYTES} bytes, not ${bytes}`);
    if (this.#used + bytes > TRANSACTION_BYTES) await this.#flush();
    return this.#gathered.subarray(this.#used, this.#used + bytes);
  }

  /** Keeps what was written into the room that was reserved last. */
  add(room: Buffer): Piece {
    this.#records.push(room);
    this.#used += room.length;
    return [this.#revision, this.#next + this.#records.length - 1, room.length, crc32(room)];
  }

  /** Writes the manifest, and gives the file its name: from then on it is the latest checkpoint. */
  async finish(manifest: Manifest): Promise<void> {
    await this.#flush();
    await this.#link.append(this.#next, [encodeManifest(manifest)]);
    await this.#link.close();
    const path = this.#folder.pathOf(this.#revision);
    await rename(lockPathOf(path + DRAFT), lockPathOf(path));
    await renameDurably(path + DRAFT, path);
  }

  /** Leaves the draft alone; nothing works afterwards. LMDB may never answer once a write has failed. */
  abandon(): void {
    if (!this.#link.closed) void this.#link.close();
  }

  async #flush(): Promise<void> {
    if (this.#records.length === 0) return;
    await this.#link.append(this.#next, this.#records);
    this.#next += this.#records.length;
    this.#records = [];
    this.#used = 0;
  }
}
