import { AccreteError } from '../../errors.ts';
import type { ModelDescriptor } from '../../models/model.ts';
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
