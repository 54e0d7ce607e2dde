import { AccreteError } from '../errors.ts';
import type { ResolvedModel } from '../models/plugins.ts';
import { CheckpointFolder } from '../store/checkpoints/checkpoint-folder.ts';
import type { Manifest } from '../store/checkpoints/manifest.ts';
import { hasModelTables } from '../teaching/state.ts';
import { versionFolder } from '../teaching/version-folders.ts';
import type { JobContext } from './job-context.ts';

/** Which version of which model. */
export interface VersionKey {
  readonly name: string;
  readonly version: string;
  /** When the model was loaded, which tells it from others of the same name. */
  readonly loadedMs: number;
  /** As in `ModelVersion`: an earlier file is of a candidate that never served. */
  readonly from: number;
}

interface OriginsContext extends Pick<JobContext, 'stateFolder'> {
  readonly journal: Pick<JobContext['journal'], 'firstRevision'>;
}

/** Where a version is as it was at a revision, and from which world one comes to that of then. */
export interface Origin {
  /** 0: the version, then the first one, learns the journal from its first record. */
  readonly revision: number;
  /** What has its tables; undefined at 0. */
  readonly saved: { readonly folder: CheckpointFolder; readonly manifest: Manifest } | undefined;
  /** The checkpoint that has the world, or had it before; undefined: the journal has it from the first record on. */
  readonly base: Manifest | undefined;
}

/**
 * From where a version can be brought to the present: a checkpoint that has it, a file of its own, or, if it is the first
 * one, nothing at all; as long as the journal has what came after.
 */
export class VersionOrigins {
  readonly checkpoints: CheckpointFolder;
  readonly #own: CheckpointFolder;
  readonly #key: VersionKey;
  readonly #model: ResolvedModel;
  readonly #firstRevision: number;

  /** `model`: as its plugin is now. */
  constructor(key: VersionKey, model: ResolvedModel, { journal, stateFolder }: OriginsContext) {
    this.checkpoints = new CheckpointFolder(stateFolder);
    this.#own = versionFolder(stateFolder, key.name, key.version);
    this.#key = key;
    this.#model = model;
    this.#firstRevision = journal.firstRevision;
  }

  /** The latest that is not after a record. Throws VERSION_NOT_FOUND. */
  latest(atMost: number): Origin {
    const revisions = this.#revisions().filter((revision) => revision <= atMost);
    for (const revision of revisions) {
      const origin = this.#find(revision);
      if (origin) return origin;
    }
    if (this.#hasBeginning) return { revision: 0, saved: undefined, base: undefined };
    throw this.#gone();
  }

  /**
   * What has the tables of an origin by now: a file of its own is written anew when someone is forgotten. Throws
   * VERSION_NOT_FOUND.
   */
  reopen({ revision, saved }: Origin): Origin['saved'] {
    if (saved?.folder !== this.#own) return saved;
    this.#own.close();
    const manifest = findGood(this.#own, revision, (each) => this.#isIn(each));
    if (!manifest) throw this.#gone();
    return { folder: this.#own, manifest };
  }

  /** The first record as of which it can be brought back; undefined where it cannot be. */
  earliest(): number | undefined {
    if (this.#hasBeginning) return 0;
    return this.#revisions()
      .toReversed()
      .find((revision) => this.#find(revision));
  }

  /** What was read stays readable until then, whoever removes the files meanwhile. */
  close(): void {
    for (const folder of [this.checkpoints, this.#own]) folder.close();
  }

  /** Whether the journal has all that the version ever learned. */
  get #hasBeginning(): boolean {
    return this.#key.version === '1' && this.#firstRevision === 1;
  }

  /** Of all files that may have it, the latest first. */
  #revisions(): number[] {
    const own = this.#own.revisions.filter((revision) => revision >= this.#key.from);
    return [...new Set([...this.checkpoints.revisions, ...own])].sort((a, b) => b - a);
  }

  #find(revision: number): Origin | undefined {
    for (const folder of [this.checkpoints, this.#own]) {
      const manifest = findGood(folder, revision, (each) => this.#isIn(each));
      if (!manifest) continue;
      const base = folder === this.checkpoints ? manifest : this.#baseOf(revision);
      const begun = base ? base.revision + 1 : 1;
      if (begun >= this.#firstRevision) return { revision, saved: { folder, manifest }, base };
    }
    return undefined;
  }

  #baseOf(revision: number): Manifest | undefined {
    for (const each of this.checkpoints.revisions) {
      const manifest = each <= revision ? findGood(this.checkpoints, each) : undefined;
      if (manifest) return manifest;
    }
    return undefined;
  }

  /** Whether a file has the version, and the plugin can read it. */
  #isIn(manifest: Manifest): boolean {
    const { name, version, loadedMs } = this.#key;
    const { plugin, spec } = this.#model;
    const saved = manifest.models.find((model) => model.name === name);
    if (saved?.version !== version || saved.loadedMs !== loadedMs) return false;
    return saved.stateVersion === plugin.stateVersion && hasModelTables(manifest, spec, plugin);
  }

  #gone(): AccreteError {
    const { name, version } = this.#key;
    const isCut = this.#firstRevision > 1 && this.#own.revisions.length > 0;
    const why = isCut
      ? `the journal begins at revision ${this.#firstRevision} by now, and what came before, which this version has not ` +
        'learned, is not kept any more. Choose another one of those that GetModel lists, or make a new one with Fuse; ' +
        'journal.keepMiB and journal.keepDays say how much is kept'
      : `there is no good file of it, or none that its plugin can read as it is now (with state version ` +
        `${this.#model.plugin.stateVersion}, and the tables that it declares); choose another one of those that GetModel ` +
        'lists, or restore its files from a backup, or the plugin that wrote them';
    const message = `Version ${version} of model ${name} cannot be brought back: ${why}`;
    return new AccreteError('VERSION_NOT_FOUND', message, { metadata: { model: name, version } });
  }
}

/** The checkpoint of a revision, if there is one that suits, and all of it is good. */
export function findGood(
  folder: CheckpointFolder,
  revision: number,
  suits: (manifest: Manifest) => boolean = () => true,
): Manifest | undefined {
  if (!folder.revisions.includes(revision)) return undefined;
  try {
    const manifest = folder.manifest(revision);
    if (!suits(manifest)) return undefined;
    folder.verify(manifest);
    return manifest;
  } catch (error) {
    if (AccreteError.wrap(error).reason !== 'STORE_DAMAGED') throw error;
    return undefined;
  }
}
