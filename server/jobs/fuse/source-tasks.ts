import { AccreteError } from '../../errors.ts';
import type { ModelDescriptor } from '../../models/model.ts';
import type { Held } from '../../store/held.ts';
import type { VersionKey } from '../version-origins.ts';

/** Something that is fused with a model. */
export type SourceTask = VersionSource | FileSource;

/** A version of a model of this server. */
export interface VersionSource {
  readonly type: 'version';
  /** The field of the request that names it. */
  readonly field: string;
  readonly key: VersionKey;
  /** As its tables are declared; where they are does not matter. */
  readonly descriptor: ModelDescriptor;
  /** What came to it by files. */
  readonly held: Held | undefined;
}

/** A model file that was imported, by its name. */
export interface FileSource {
  readonly type: 'file';
  readonly field: string;
  readonly file: string;
}

/** `how`: how that is known. */
export function windowSeen(field: string, source: string, start: number, how: string): AccreteError {
  const message =
    `${field}: ${source} holds something of the window that the candidate is judged by, which begins after record ${start}: ` +
    `${how}; wait for more ratings, or judge by fewer (guard.window_events)`;
  return new AccreteError('WINDOW_SEEN', message, { metadata: { source, reached: String(start) } });
}

/** What it brings is in the model, or in another source, by way of a file; `how`: in words that continue its name. */
export function alreadyFused({ field, file }: FileSource, how: string): AccreteError {
  const message =
    `${field}: ${file} ${how}, to the model or with another source, and would count twice: leave it out, or go back to the ` +
    'version before (RollbackModel) and fuse what has learned most';
  return new AccreteError('ALREADY_FUSED', message, { metadata: { source: file } });
}
