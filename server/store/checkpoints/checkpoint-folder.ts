import { existsSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { AccreteError } from '../../errors.ts';
import { namesIn } from '../durable-files.ts';
import { firstRevisionOf, linkName, lockPathOf } from '../link-chain.ts';
import { LinkPages } from '../link-pages.ts';
import { checkpointDamaged, decodeManifest, filesOf, type Manifest, type Piece, piecesOf } from './manifest.ts';

/**
 * The checkpoints of a store: a file each, named by its revision, never changed once it has its name. Unchanged pieces
 * stay in the files of earlier checkpoints. Reading needs no LMDB: see `LinkPages`.
 */

/** In the names of files that are no checkpoints: they go when one is complete, and those that are not whole at a start. */
export const DRAFT = '.new';
const DAMAGED = `${DRAFT}.damaged`;
/** Checkpoints that can be restored: the latest ones. */
const KEPT = 2;

/** Which checkpoints stay, with the files that they need. */
export type Keeps = 'latest' | 'lastTwo' | 'all';

export class CheckpointFolder {
  readonly path: string;
  readonly #open = new Map<number, LinkPages>();

  constructor(path: string) {
    this.path = path;
  }

  /** Revisions of all files, the latest first. Each is a checkpoint, if perhaps one that is kept for its pieces alone. */
  get revisions(): number[] {
    return namesIn(this.path)
      .map(firstRevisionOf)
      .filter((revision) => revision !== undefined)
      .sort((a, b) => b - a);
  }

  pathOf(revision: number): string {
    return join(this.path, linkName(revision));
  }

  bytesOf(revision: number): number {
    return statSync(this.pathOf(revision)).size;
  }

  /** Throws STORE_DAMAGED, STORE_TOO_NEW. */
  manifest(revision: number): Manifest {
    return decodeManifest(this.#record(revision), this.pathOf(revision));
  }

  /** Whether all the files are there that a checkpoint needs: of some only pieces are kept. */
  hasFilesOf(manifest: Manifest): boolean {
    return [...filesOf(manifest).keys()].every((file) => existsSync(this.pathOf(file)));
  }

  /** A copy that is valid until the next one of the same file. Throws STORE_DAMAGED. */
  read([file, record, bytes, crc]: Piece): Uint8Array {
    const found = this.#record(file, record);
    if (found.length === bytes && crc32(found) === crc) return found;
    throw checkpointDamaged(this.pathOf(file), `the checksum of its record ${record} is wrong`);
  }

  /** Reads every piece. Throws STORE_DAMAGED. */
  verify(manifest: Manifest): void {
    for (const piece of piecesOf(manifest)) this.read(piece);
  }

  /**
   * Removes drafts and what was set aside, up to a checkpoint, and the files of earlier ones as `keeps` says; what is later
   * stays. Returns the revisions of those that can be restored, the latest first.
   */
  tidy(latest: Manifest, keeps: Keeps = 'lastTwo'): readonly number[] {
    const needed = new Set<number>();
    const kept: number[] = [];
    for (const revision of this.revisions.filter((each) => each <= latest.revision)) {
      if (kept.length === (keeps === 'latest' ? 1 : KEPT)) break;
      const manifest = revision === latest.revision ? latest : this.#find(revision);
      if (!manifest) continue;
      kept.push(revision);
      for (const file of filesOf(manifest).keys()) needed.add(file);
    }
    this.close();
    for (const name of namesIn(this.path)) {
      const [file, ofDraft] = name.split(DRAFT);
      const revision = firstRevisionOf(file);
      // Somebody else may be writing a later one.
      if (revision === undefined || revision > latest.revision) continue;
      const isUnneeded = keeps !== 'all' && !needed.has(revision);
      if (isUnneeded || ofDraft !== undefined) this.#remove(name);
    }
    return kept;
  }

  /** Removes what was not finished; nobody may be writing. */
  removeDrafts(): void {
    for (const name of namesIn(this.path)) if (name.includes(DRAFT) && !name.includes(DAMAGED)) this.#remove(name);
  }

  /** The file of a checkpoint that is damaged is none from now on; it stays until there is a good one again. */
  setAside(revision: number): void {
    this.close();
    const path = this.pathOf(revision);
    renameSync(path, path + DAMAGED);
    rmSync(lockPathOf(path), { force: true });
  }

  /** Removes the file of one checkpoint. */
  remove(revision: number): void {
    this.close();
    this.#remove(linkName(revision));
  }

  close(): void {
    for (const pages of this.#open.values()) pages.close();
    this.#open.clear();
  }

  #find(revision: number): Manifest | undefined {
    try {
      return this.manifest(revision);
    } catch {
      return undefined;
    }
  }

  #remove(name: string): void {
    rmSync(join(this.path, name), { force: true });
    rmSync(lockPathOf(join(this.path, name)), { force: true });
  }

  /** The last record unless a number is given. */
  #record(file: number, record?: number): Uint8Array {
    const path = this.pathOf(file);
    try {
      const pages = this.#open.get(file) ?? new LinkPages(path);
      this.#open.set(file, pages);
      const leaf = record === undefined ? pages.findLast() : pages.find(record);
      if (leaf) return leaf.record(0);
    } catch (cause) {
      const why = cause instanceof AccreteError ? cause.message : String(cause);
      throw checkpointDamaged(path, why, cause);
    }
    throw checkpointDamaged(path, `it has no record ${record ?? 'at all'}`);
  }
}
