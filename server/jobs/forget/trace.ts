import type { Removal, Trace } from '../../exchange/forgetting.ts';
import { REQUEST_ID_AGE_MAX_MS } from '../../memory/request-ids.ts';
import { CheckpointFolder } from '../../store/checkpoints/checkpoint-folder.ts';
import { decodeControl } from '../../store/control.ts';
import { UserSearch } from '../../store/forget/user-search.ts';
import { decodeRecord, recordTypeOf } from '../../store/record.ts';
import { listVersions, versionFolder } from '../../teaching/state.ts';
import type { JobContext } from '../job-context.ts';

export interface TraceTask {
  readonly userId: string;
  /** The note of an earlier forgetting that is not done. */
  readonly note: string | undefined;
  /** The first record to look at. */
  readonly from: number;
}

/** Looks through the store for a user, up to the record that ends an earlier forgetting of theirs, if there is one. */
export function* trace({ userId, note, from }: TraceTask, context: JobContext): Generator<Trace> {
  const { journal, revisions, meter } = context;
  const begin = Math.max(from, journal.firstRevision);
  const to = revisions.learned;
  const search = new UserSearch(userId);
  const since = Date.now() - REQUEST_ID_AGE_MAX_MS;
  const requests: number[] = [];
  let [entries, first] = [0, Number.POSITIVE_INFINITY];
  const traced = () => ({ entries, requests, files: filesSince(first, context.stateFolder) });
  meter.begin('trace', 'records', to - begin + 1);
  for (const { revision, record } of journal.read(begin, to)) {
    meter.add();
    const forgotten = note === undefined ? undefined : forgottenBy(note, revision, record);
    if (forgotten) return yield { ...traced(), forgotten, to: revision };
    const found = search.find(revision, record);
    if (!found) continue;
    first = Math.min(first, revision);
    entries += found.entries;
    if (found.hasRequestId && found.receivedAtMs >= since) requests.push(revision);
  }
  yield { ...traced(), forgotten: undefined, to };
}

function forgottenBy(note: string, revision: number, record: Uint8Array): Trace['forgotten'] {
  if (recordTypeOf(record) !== 'control') return undefined;
  const control = decodeControl(decodeRecord(record, revision).payload);
  return control.type === 'forgotten' && control.note === note ? { revision, user: control.user } : undefined;
}

/** Files with the state as of record `first`, or later. */
function filesSince(first: number, stateFolder: string): Removal[] {
  const versions = listVersions(stateFolder).map(({ name, version }) => {
    const { revisions } = versionFolder(stateFolder, name, version);
    return { place: `model:${name}@${version}`, count: revisions.filter((revision) => revision >= first).length };
  });
  const checkpoints = new CheckpointFolder(stateFolder).revisions.filter((revision) => revision >= first);
  return [{ place: 'checkpoints', count: checkpoints.length }, ...versions];
}
