import { setTimeout as sleep } from 'node:timers/promises';
import { AccreteError } from '../errors.ts';
import { ANSWER, type LearnerNews, type StateHashes, type Timings } from '../exchange/messages.ts';
import type { Counters } from '../memory/counters.ts';
import type { HostKernels } from '../memory/kernels/host-kernels.ts';
import { type Revisions, revisionText } from '../memory/revisions.ts';
import type { Bell } from '../memory/ring.ts';
import { combineHashes, type WritableWorld } from '../memory/world.ts';
import { type Control, encodeControl } from '../store/control.ts';
import type { Journal } from '../store/journal.ts';
import { encodeRateResponse } from '../store/rate-response.ts';
import { Follower } from '../teaching/follower.ts';
import type { Teacher } from '../teaching/teacher.ts';
import type { Accepted, Entry, Intake } from './intake.ts';

/**
 * The one thread that learns: durable, then learned, then answered. A group of requests is appended to the journal
 * while the group before it, which is on disk, is learned and answered.
 */

/** How long to wait before trying the disk again when an append failed. */
const RETRY_MS = 1000;
/** How long to wait for a serving thread that does not take its answers. */
const ANSWER_RETRY_MS = 1;
const REPLAY_NEWS_MS = 1000;

export interface LearnerParts {
  readonly journal: Journal;
  readonly world: WritableWorld;
  readonly teacher: Teacher;
  readonly intake: Intake;
  readonly bell: Bell;
  readonly revisions: Revisions;
  readonly kernels: HostKernels;
  readonly counters: Counters;
  /** The scale that is configured now; a journal is of one scale. */
  readonly scale: { readonly min: number; readonly max: number };
  readonly tell: (news: LearnerNews) => void;
}

interface Flushed {
  readonly appendStart: number;
  readonly appendEnd: number;
  readonly failure: AccreteError | undefined;
}

interface Group extends Flushed {
  readonly entries: readonly Entry[];
}

export class Learner {
  readonly #parts: LearnerParts;
  readonly #follower: Follower;
  #stopping = false;
  /** Why nothing can be made durable now. */
  #failure: AccreteError | undefined;
  #retryAtMs = 0;

  constructor(parts: LearnerParts) {
    this.#parts = parts;
    this.#follower = new Follower(parts.world, parts.teacher, (control) => this.#followControl(control));
  }

  /** Brings the memory to where the journal is; a new journal begins with the settings that cannot change. */
  async start(): Promise<void> {
    const { journal, scale, revisions } = this.#parts;
    this.replay();
    if (journal.lastRevision > 0) return;
    await journal.append([encodeControl({ type: 'settings', rating: scale })]);
    revisions.issued = revisions.learned = journal.lastRevision;
  }

  /** Learns what the journal has and the memory has not. */
  replay(): void {
    const { journal, revisions, tell } = this.#parts;
    let told = Date.now();
    for (const { revision, record } of journal.read(revisions.learned + 1)) {
      this.#follower.follow(revision, record);
      revisions.learned = revision;
      if (Date.now() - told < REPLAY_NEWS_MS) continue;
      told = Date.now();
      tell({ type: 'replaying', revision, lastRevision: journal.lastRevision });
    }
    revisions.issued = journal.lastRevision;
    revisions.learned = journal.lastRevision;
  }

  /** Serves the rings until `stop`, and then until they are empty. */
  async run(): Promise<void> {
    const { bell, intake, journal, world } = this.#parts;
    let durable: Group | undefined;
    for (;;) {
      const state = bell.state();
      const entries = intake.take(journal.lastRevision + 1);
      if (this.#failure) {
        await this.#refuse(entries, this.#failure);
        if (this.#stopping) return;
        const leftMs = this.#retryAtMs - Date.now();
        if (leftMs > 0) await Promise.race([bell.wait(state), sleep(leftMs)]);
        else await this.#tryDisk();
      } else if (entries.length > 0) {
        const flushing = this.#append(entries);
        if (durable) await this.#learn(durable);
        durable = { entries, ...(await flushing) };
        if (durable.failure) {
          this.#fail(durable.failure);
          await this.#refuse(entries, durable.failure);
          durable = undefined;
        }
      } else if (durable) {
        await this.#learn(durable);
        durable = undefined;
      } else if (this.#stopping) {
        return;
      } else {
        world.reclaimer.collect();
        await bell.wait(state);
      }
    }
  }

  /** Ends `run` once everything that was asked is answered. */
  stop(): void {
    this.#stopping = true;
    this.#parts.bell.ring();
  }

  /** Hashes over every byte of model `name` and of what all models share, between two groups. */
  hashes(name: string): StateHashes {
    const { teacher, kernels, world, revisions } = this.#parts;
    const model = teacher.models.find((candidate) => candidate.name === name);
    if (!model) throw new AccreteError('MODEL_NOT_FOUND', `There is no model ${JSON.stringify(name)}`);
    const hashes = model.hashes(kernels);
    const shared = world.hashes(kernels);
    const all = combineHashes([hashes.all, shared.ids, shared.interactions, shared.requestIds]);
    return { revision: revisions.learned, all, model: hashes.all, tables: hashes.tables, world: shared };
  }

  async #append(entries: readonly Entry[]): Promise<Flushed> {
    const { journal } = this.#parts;
    const records = entries.filter((entry) => entry.type === 'accepted').map((entry) => entry.record);
    const appendStart = now();
    try {
      if (records.length > 0) await journal.append(records);
      return { appendStart, appendEnd: now(), failure: undefined };
    } catch (error) {
      return { appendStart, appendEnd: now(), failure: AccreteError.wrap(error) };
    }
  }

  /** Learns a durable group, then answers it: whoever is answered or woken sees all of it. */
  async #learn(group: Group): Promise<void> {
    const { revisions, intake, journal } = this.#parts;
    const last = group.entries.findLast((entry) => entry.type === 'accepted');
    revisions.issued = journal.lastRevision;
    const answers = group.entries.map((entry) => {
      if (entry.type === 'settled') return { entry, kind: entry.answer, payload: entry.payload };
      const learnStart = now();
      const payload = this.#learnAccepted(entry);
      return {
        entry,
        kind: ANSWER.accepted,
        payload,
        timings: entry.traced ? this.#timings(entry, group, learnStart) : undefined,
      };
    });
    if (last) revisions.learned = last.revision;
    for (const { entry, kind, payload, timings } of answers) {
      if (timings) await answer(entry, ANSWER.timings, Buffer.from(JSON.stringify(timings)));
      await answer(entry, kind, payload);
      if (entry.type === 'accepted') intake.release(entry);
    }
  }

  /** Learns a live request just as a restart would, from its record; returns the answer. */
  #learnAccepted({ revision, record, ratings, predictionsOf, takenMs }: Accepted): Uint8Array {
    const { teacher, counters } = this.#parts;
    const values = predictionsOf.map(() => new Float64Array(ratings));
    this.#follower.follow(revision, record, (n) => {
      for (let p = 0; p < predictionsOf.length; p++) values[p][n] = teacher.predictions[predictionsOf[p]];
    });
    counters.add('requestsAccepted', 1);
    counters.add('ratingsAccepted', ratings);
    counters.set('lagSeconds', (Date.now() - takenMs) / 1000);
    const predictions = predictionsOf.map((m, p) => ({ model: teacher.models[m].name, values: values[p] }));
    return encodeRateResponse({
      revision: revisionText(revision),
      acceptedCount: ratings,
      duplicate: false,
      predictions,
    });
  }

  #followControl(control: Control): void {
    if (control.type !== 'settings') return;
    const { min, max } = this.#parts.scale;
    const { rating } = control;
    if (rating.min === min && rating.max === max) return;
    const message = `rating.min and rating.max are ${min} and ${max}, and this store was begun with ${rating.min} and ${rating.max}`;
    throw new AccreteError('CONFIG_INVALID', `${message}: set them back, or set data to another folder`);
  }

  #timings(entry: Entry, group: Group, learnStart: number): Timings {
    const { appendStart, appendEnd } = group;
    const models = this.#parts.teacher.models.map((model) => model.name);
    return { taken: entry.takenMs, appendStart, appendEnd, learnStart, learnEnd: now(), models };
  }

  /** What was not made durable is refused; so is a retry of it. What was refused anyway keeps its own reason. */
  async #refuse(entries: readonly Entry[], failure: AccreteError): Promise<void> {
    const payload = Buffer.from(JSON.stringify(failure));
    for (const entry of entries) {
      if (entry.type === 'settled' && entry.answer === ANSWER.refused) await answer(entry, entry.answer, entry.payload);
      else await answer(entry, ANSWER.refused, payload);
      if (entry.type === 'accepted') this.#parts.intake.release(entry);
    }
  }

  #fail(failure: AccreteError): void {
    this.#failure = failure;
    this.#retryAtMs = Date.now() + RETRY_MS;
    const cause = failure.cause instanceof Error ? ` (${failure.cause.message})` : '';
    this.#parts.tell({ type: 'writable', writable: false, why: failure.message + cause });
  }

  /** Reopens the journal, learns what of the failed append is on disk after all, and tries to write. */
  async #tryDisk(): Promise<void> {
    const { journal, revisions, tell } = this.#parts;
    try {
      await journal.reopen();
      this.replay();
      await journal.append([encodeControl({ type: 'resumed' })]);
      revisions.issued = revisions.learned = journal.lastRevision;
      this.#failure = undefined;
      tell({ type: 'writable', writable: true, why: '' });
    } catch (error) {
      this.#failure = AccreteError.wrap(error);
      this.#retryAtMs = Date.now() + RETRY_MS;
    }
  }
}

const TOO_LARGE = new AccreteError('INTERNAL', 'the answer is larger than its ring: ask for fewer predictions at once');

/** Waits while the serving thread does not take its answers. */
async function answer(entry: Entry, kind: number, payload: Uint8Array): Promise<void> {
  const { answers } = entry.lane;
  const fits = payload.byteLength <= answers.payloadMax;
  const [sent, bytes] = fits ? [kind, payload] : [ANSWER.refused, Buffer.from(JSON.stringify(TOO_LARGE))];
  while (!answers.push(sent, entry.call, 0, bytes)) await sleep(ANSWER_RETRY_MS);
}

/** Milliseconds since 1970, with fractions. */
function now(): number {
  return performance.timeOrigin + performance.now();
}
