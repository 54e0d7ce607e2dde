import type { Removal, Trace, Traced } from '../../exchange/forgetting.ts';
import { CheckpointFolder } from '../../store/checkpoints/checkpoint-folder.ts';
import { forgottenBy } from '../../store/forget/forgotten-rows.ts';
import { UserSearch } from '../../store/forget/user-search.ts';
import { ImportFolder } from '../../store/models/import-folder.ts';
import { listVersions, versionFolder } from '../../teaching/version-folders.ts';
import type { JobContext } from '../job-context.ts';
import { findImports, removalsOf } from './imports.ts';

export interface TraceTask {
  /** Each once. */
  readonly users: readonly {
    readonly userId: string;
    /** The note of an earlier forgetting that is not done. */
    readonly note: string | undefined;
  }[];
  /** The first record to look at. */
  readonly from: number;
}

/** Looks through the store for users, for each up to the record that ends an earlier forgetting of theirs, if there is one. */
export function* trace({ users, from }: TraceTask, { config, journal, revisions, meter, stateFolder }: JobContext) {
  const begin = Math.max(from, journal.firstRevision);
  const to = revisions.learned;
  const steps = users.map(({ userId, note }) => new Steps(userId, note));
  const byUser = new Map(steps.map((each) => [each.userId, each]));
  const byNote = new Map(steps.flatMap((each) => (each.note === undefined ? [] : [[each.note, each]])));
  const search = new UserSearch(users.map(({ userId }) => ({ userId, last: to })));
  meter.begin('trace', 'records', to - begin + 1);
  for (const entry of journal.read(begin, to)) {
    const { revision, record } = entry;
    meter.add();
    const control = byNote.size > 0 ? forgottenBy(entry) : undefined;
    const ended = control && byNote.get(control.note);
    if (control && ended) {
      ended.forgotten = { revision, user: control.user };
      search.end(ended.userId, revision);
      continue;
    }
    const found = search.find(revision, record);
    if (!found) continue;
    for (const owner of found.owners) byUser.get(owner)?.add(revision, found.hasRequestId);
  }
  // Where the first records are gone, any file may have what was in them.
  const filesSince = journal.firstRevision > 1 ? () => files(stateFolder)(0) : files(stateFolder);
  const imports = findImports(
    users.map(({ userId }) => userId),
    new ImportFolder(config.data),
    meter,
  );
  const traced: Traced = { users: steps.map((each, n) => each.trace(filesSince, imports[n])), to };
  yield traced;
}

/** Of one user. */
class Steps {
  readonly userId: string;
  readonly note: string | undefined;
  forgotten: Trace['forgotten'];
  #entries = 0;
  #first = Number.POSITIVE_INFINITY;
  readonly #requests = new Set<number>();

  constructor(userId: string, note: string | undefined) {
    this.userId = userId;
    this.note = note;
  }

  add(revision: number, hasRequestId: boolean): void {
    this.#entries++;
    this.#first = Math.min(this.#first, revision);
    if (hasRequestId) this.#requests.add(revision);
  }

  trace(filesSince: (first: number) => Removal[], imports: readonly string[]): Trace {
    const { forgotten } = this;
    const requests = [...this.#requests];
    return {
      entries: this.#entries,
      requests,
      forgotten,
      files: filesSince(this.#first),
      imports: removalsOf(imports),
    };
  }
}

/** Tells how many files there are with the state as of a record, or later. */
function files(stateFolder: string): (first: number) => Removal[] {
  const versions = listVersions(stateFolder).map(({ name, version }) => {
    return { place: `model:${name}@${version}`, revisions: versionFolder(stateFolder, name, version).revisions };
  });
  const places = [{ place: 'checkpoints', revisions: new CheckpointFolder(stateFolder).revisions }, ...versions];
  return (first) =>
    places.map(({ place, revisions }) => ({ place, count: revisions.filter((each) => each >= first).length }));
}
