import type { Effect, Removal, Trace, Traced } from '../exchange/forgetting.ts';
import { type ForgetRequests, REQUESTS_FORGOTTEN_MAX } from '../exchange/messages.ts';
import type { Checkpoints } from './checkpoints.ts';
import type { LearnerQueue } from './learner-queue.ts';
import { sumRemovals } from './removals.ts';
import type { Retractions } from './retractions.ts';

/**
 * Forgets users, some together. What each rated is taken back by ordinary retractions, a few at a time, so that the stream
 * goes on; one record then removes the rest of them, the id and the row: what comes after it is of somebody new. Then, once for
 * all of them, a checkpoint without them is saved and all earlier ones are removed; versions and the files of the journal are
 * rewritten. A note for each says until the end that this is to be done, and whoever finds one goes on with it.
 */

export interface Forgotten {
  readonly removals: readonly Removal[];
  /** The revision that holds it; undefined: there was nobody to forget. */
  readonly revision: number | undefined;
}

/** By user. Who failed alone is not forgotten yet, and their note stays. */
export interface Outcomes {
  readonly done: ReadonlyMap<string, Forgotten>;
  readonly failures: ReadonlyMap<string, { readonly reason: unknown }>;
}

/** Says until the end that someone is to be forgotten. */
interface Note {
  readonly id: string;
  readonly userId: string;
}

/** One who is to be forgotten, and where they stand. */
interface Noted {
  readonly note: Note;
  readonly found: Trace;
}

/** The same, once the record is there. */
interface Gone extends Noted {
  readonly effect: Effect;
  /** Records whose request may still be remembered. */
  readonly requests: readonly number[];
  readonly removals: Removal[];
}

export interface ErasureParts {
  readonly queue: LearnerQueue;
  /** What experiments have shown until now is in the journal, where it is found. */
  readonly exposuresLogged: () => Promise<void>;
  readonly retractions: Retractions;
  readonly checkpoints: Checkpoints;
  /** Looks for users from record `from` on, for each up to the one that has their note. */
  readonly trace: (task: {
    users: readonly { readonly userId: string; readonly note: string | undefined }[];
    from: number;
  }) => Promise<Traced>;
  /** Tells what was removed of each. */
  readonly purge: (task: {
    users: readonly { readonly userId: string; readonly note: string; readonly forgotten: Effect }[];
    to: number;
  }) => Promise<readonly (readonly Removal[])[]>;
  /** Keeps what is on its way from naming them: see `Imports`. */
  readonly exclude: (userIds: readonly string[]) => Promise<void>;
  readonly notes: {
    list(): readonly Note[];
    write(userId: string): Promise<Note>;
    remove(notes: readonly Note[]): Promise<void>;
  };
  /** What is in the memory of a user besides ratings and events. */
  readonly known: (userId: string) => { readonly ids: number; readonly features: number };
}

export class Erasure {
  readonly #parts: ErasureParts;

  constructor(parts: ErasureParts) {
    this.#parts = parts;
  }

  /** What would be removed. */
  async examine(userId: string): Promise<Forgotten> {
    const { trace, retractions, known, notes } = this.#parts;
    const note = notes.list().find((each) => each.userId === userId)?.id;
    const [{ entries, requests, files, imports }] = (await trace({ users: [{ userId, note }], from: 1 })).users;
    const { ids, features } = known(userId);
    if (entries === 0 && ids === 0 && imports.length === 0) return NOBODY;
    const remembered = (await this.#remembered(requests, true)).size + (await this.#countNaming(userId, true));
    const removals = sumRemovals([
      { place: 'journal', count: entries },
      { place: 'interactions', count: retractions.count(userId) },
      { place: 'request_ids', count: remembered },
      { place: 'features', count: features },
      { place: 'ids', count: ids },
      ...files,
      ...imports,
    ]);
    return { removals, revision: undefined };
  }

  /** Goes on with what was begun. Throws what keeps all of them from being forgotten. */
  async finishNoted(signal: AbortSignal): Promise<Outcomes> {
    const notes = this.#parts.notes.list();
    if (notes.length === 0) return NOTHING;
    const { users, to } = await this.#parts.trace({
      users: notes.map(({ id, userId }) => ({ userId, note: id })),
      from: 1,
    });
    return this.#finish(
      notes.map((note, n) => ({ note, found: users[n] })),
      to,
      signal,
    );
  }

  /** Users of whom there is no note; each once. Throws what keeps them from being looked for. */
  async forget(userIds: readonly string[], signal: AbortSignal): Promise<Outcomes> {
    if (userIds.length === 0) return NOTHING;
    const { trace, exclude, notes, known } = this.#parts;
    await exclude(userIds);
    await this.#parts.exposuresLogged();
    const { users, to } = await trace({ users: userIds.map((userId) => ({ userId, note: undefined })), from: 1 });
    const there: { readonly userId: string; readonly found: Trace }[] = [];
    const unknown: [userId: string, forgotten: Forgotten][] = [];
    for (const [n, userId] of userIds.entries()) {
      const { entries, imports } = users[n];
      if (entries === 0 && imports.length === 0 && known(userId).ids === 0) unknown.push([userId, NOBODY]);
      else there.push({ userId, found: users[n] });
    }
    try {
      const noted: Noted[] = [];
      for (const { userId, found } of there) noted.push({ note: await notes.write(userId), found });
      const { done, failures } = await this.#finish(noted, to, signal);
      return { done: new Map([...unknown, ...done]), failures };
    } catch (reason) {
      // Of those who are not there nothing is to be removed: what fails is not about them.
      return { done: new Map(unknown), failures: new Map(there.map(({ userId }) => [userId, { reason }])) };
    }
  }

  /** Does what is not done yet. `to`: the last record that was looked at. */
  async #finish(noted: readonly Noted[], to: number, signal: AbortSignal): Promise<Outcomes> {
    const { queue, checkpoints, purge, exclude, notes } = this.#parts;
    const { gone, failures } = await this.#takeEffect(noted, to, signal);
    if (gone.length === 0) return { done: new Map(), failures };
    await this.#forgetRequests(gone);
    const { sealedTo } = await queue.insist({ type: 'seal' });
    if (sealedTo === undefined) throw new Error('the learner did not say how far the journal is sealed');
    await checkpoints.create({ alone: true });
    const users = gone.map(({ note, effect }) => ({ userId: note.userId, note: note.id, forgotten: effect }));
    await exclude(users.map(({ userId }) => userId));
    const purged = await purge({ users, to: sealedTo });
    await notes.remove(gone.map(({ note }) => note));
    const done = gone.map(({ note: { userId }, effect, removals }, n) => {
      return [userId, { removals: sumRemovals([...removals, ...purged[n]]), revision: effect.revision }] as const;
    });
    return { done: new Map(done), failures };
  }

  /** Takes back what they rated and writes the records, as far as that is not done. */
  async #takeEffect(noted: readonly Noted[], to: number, signal: AbortSignal) {
    const gone: Gone[] = [];
    const failures = new Map<string, { reason: unknown }>();
    for (const each of noted) {
      try {
        gone.push(await this.#takeBack(each, signal));
      } catch (reason) {
        // Whatever it is about: the others need not wait for it.
        failures.set(each.note.userId, { reason });
      }
    }
    signal.throwIfAborted();
    const fresh = gone.filter(({ found }) => !found.forgotten);
    if (fresh.length === 0) return { gone, failures };
    const since = await this.#parts.trace({
      users: fresh.map(({ note }) => ({ userId: note.userId, note: note.id })),
      from: to + 1,
    });
    const requestsSince = new Map(fresh.map((each, n) => [each, since.users[n].requests]));
    const all = gone.map((each) => ({ ...each, requests: [...each.requests, ...(requestsSince.get(each) ?? [])] }));
    return { gone: all, failures };
  }

  async #takeBack({ note, found }: Noted, signal: AbortSignal): Promise<Gone> {
    const { requests, files, forgotten: before } = found;
    const removals = files.filter(({ place }) => place === 'checkpoints');
    if (before) return { note, found, effect: before, requests, removals };
    const { queue } = this.#parts;
    const { live, retractions } = await this.#parts.retractions.takeBackAll(note.userId, signal);
    await this.#parts.exposuresLogged();
    const { revision, forgotten } = await queue.insist({ type: 'forget', userId: note.userId, note: note.id });
    if (!forgotten) throw new Error('the learner did not say what it has forgotten');
    const { user, counts } = forgotten;
    removals.push(
      // What it wrote itself, to be removed again, was nothing of theirs.
      { place: 'journal', count: -retractions },
      { place: 'interactions', count: live + counts.interactions },
      { place: 'features', count: counts.features },
      { place: 'ids', count: counts.ids },
    );
    return { note, found, effect: { revision: Number(revision), user }, requests, removals };
  }

  async #forgetRequests(gone: readonly Gone[]): Promise<void> {
    const forgotten = await this.#remembered(gone.flatMap(({ requests }) => requests));
    for (const { note, requests, removals } of gone) {
      const count = requests.filter((revision) => forgotten.has(revision)).length;
      removals.push({ place: 'request_ids', count: count + (await this.#countNaming(note.userId)) });
    }
  }

  /** Which of these records have requests that are remembered; they are no more then, unless it is only to be told. */
  async #remembered(requests: readonly number[], validateOnly = false): Promise<Set<number>> {
    const all = [...new Set(requests)];
    const found = new Set<number>();
    for (let from = 0; from < all.length; from += REQUESTS_FORGOTTEN_MAX) {
      const some = all.slice(from, from + REQUESTS_FORGOTTEN_MAX);
      for (const revision of await this.#askForRequests({ requests: some, validateOnly })) found.add(revision);
    }
    return found;
  }

  /** How many requests have the id in theirs, of those whose records are gone; the same is done to them. */
  async #countNaming(userId: string, validateOnly = false): Promise<number> {
    for (let count = 0; ; ) {
      const { length } = await this.#askForRequests({ requests: [], userId, validateOnly });
      count += length;
      if (length < REQUESTS_FORGOTTEN_MAX || validateOnly) return count;
    }
  }

  async #askForRequests(ask: Omit<ForgetRequests, 'type'>): Promise<readonly number[]> {
    const { requestsForgotten = [] } = await this.#parts.queue.insist({ type: 'forgetRequests', ...ask });
    return requestsForgotten;
  }
}

const NOBODY: Forgotten = { removals: [], revision: undefined };
const NOTHING: Outcomes = { done: new Map(), failures: new Map() };
