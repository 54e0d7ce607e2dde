import { setTimeout as sleep } from 'node:timers/promises';
import { AccreteError } from '../errors.ts';
import {
  ANSWER,
  ASK,
  type Change,
  type ChangeAnswer,
  type LearnerNews,
  type StateHashes,
} from '../exchange/messages.ts';
import type { Counters } from '../memory/counters.ts';
import type { HostKernels } from '../memory/kernels/host-kernels.ts';
import { type Revisions, revisionText } from '../memory/revisions.ts';
import type { Bell } from '../memory/ring.ts';
import { combineHashes, type WritableWorld } from '../memory/world.ts';
import { type Control, encodeControl } from '../store/control.ts';
import { storeFailure } from '../store/failure.ts';
import type { Journal } from '../store/journal.ts';
import { encodeRateResponse } from '../store/rate-response.ts';
import type { Classrooms } from '../teaching/classrooms.ts';
import { ModelMeter } from '../teaching/model-meter.ts';
import type { Teacher } from '../teaching/teacher.ts';
import type { Beginning } from './beginning.ts';
import type { Captures } from './captures.ts';
import type { Cohorts } from './cohorts.ts';
import type { Decisions } from './decisions.ts';
import type { Examined } from './examined.ts';
import type { FeatureIntake } from './feature-intake.ts';
import type { ForgetIntake } from './forget-intake.ts';
import type { Accepted, Asked, Entry, Intake } from './intake.ts';

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
  readonly classrooms: Classrooms;
  readonly intake: Intake;
  readonly bell: Bell;
  readonly revisions: Revisions;
  readonly kernels: HostKernels;
  readonly counters: Counters;
  readonly decisions: Decisions;
  readonly featureIntake: FeatureIntake;
  readonly forgetIntake: ForgetIntake;
  readonly beginning: Beginning;
  readonly cohorts: Cohorts;
  readonly captures: Captures;
  /** What this start changes in what the journal decided. */
  readonly changes: readonly Control[];
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
  /** Until then the models are made as the whole journal decides: a replay decides nothing. */
  #serving = false;
  #stopping = false;
  /** Why nothing can be made durable now. */
  #failure: AccreteError | undefined;
  /** Why nothing more may be made durable, until another start. */
  #damage: AccreteError | undefined;
  /** By a clock that never jumps. */
  #retryAtMs = 0;

  constructor(parts: LearnerParts) {
    this.#parts = parts;
    parts.classrooms.onControl = (control, revision) => {
      if (this.#serving) parts.decisions.follow(control, revision, this.#failure !== undefined);
      else parts.cohorts.follow(control, revision);
    };
  }

  /** Brings the memory to where the journal is, and writes down what this start changes. */
  async start(): Promise<void> {
    const { journal, changes, revisions, beginning, cohorts, captures, teacher, tell } = this.#parts;
    tell({ type: 'phase', phase: 'replay' });
    const restored = beginning.restore(teacher);
    cohorts.restore();
    if (restored > 0) captures.begunFrom(restored);
    revisions.learned = restored;
    beginning.reach(restored, teacher);
    this.replay();
    for (const record of changes.map(encodeControl)) {
      await journal.append([record]);
      this.#parts.classrooms.follow(journal.lastRevision, record);
      revisions.issued = revisions.learned = journal.lastRevision;
    }
    this.#serving = true;
  }

  /** Learns what the journal has and the memory has not. */
  replay(): void {
    const { journal, revisions, beginning, teacher, tell } = this.#parts;
    let told = Date.now();
    for (const { revision, record } of journal.read(revisions.learned + 1)) {
      let events = 0;
      this.#parts.classrooms.follow(revision, record, () => events++);
      this.#count(record, events);
      revisions.learned = revision;
      beginning.reach(revision, teacher);
      if (Date.now() - told < REPLAY_NEWS_MS) continue;
      told = Date.now();
      tell({ type: 'replaying', revision, lastRevision: journal.lastRevision });
    }
    revisions.issued = journal.lastRevision;
    revisions.learned = journal.lastRevision;
  }

  /** Serves the rings until `stop`, and then until they are empty. */
  async run(): Promise<void> {
    const { bell, intake, journal, classrooms } = this.#parts;
    let durable: Group | undefined;
    for (;;) {
      const state = bell.state();
      const asked = intake.takeAsked();
      if (asked && durable) await this.#learn(durable);
      if (asked) {
        durable = undefined;
        await this.#answerAsked(asked);
        continue;
      }
      const entries = intake.take(journal.lastRevision + 1);
      const failure = this.#damage ?? this.#failure;
      if (failure) {
        // What was made durable before is learned.
        if (durable) await this.#learn(durable);
        durable = undefined;
        await this.#refuse(entries, failure);
        if (this.#stopping) return;
        classrooms.collect();
        if (this.#damage) {
          await bell.wait(state);
          continue;
        }
        const leftMs = this.#retryAtMs - performance.now();
        if (leftMs > 0) await Promise.race([bell.wait(state), sleep(leftMs)]);
        else await this.#tryDisk();
      } else if (entries.length > 0) {
        const accepted = entries.filter((entry) => entry.type === 'accepted');
        const flushing = this.#append(accepted.map(({ record }) => record));
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
        classrooms.collect();
        await bell.wait(state);
      }
    }
  }

  /** Ends `run` once everything that was asked is answered. */
  stop(): void {
    this.#stopping = true;
    this.#parts.bell.ring();
  }

  /** Refuses whatever would add to the journal from now on: it is damaged. */
  halt(damage: AccreteError): void {
    this.#damage = damage;
    this.#parts.bell.ring();
  }

  /** Hashes over every byte of model `name` and of what all models of its world share, between two groups. */
  hashes(name: string, cohort: string): StateHashes {
    const { classrooms, kernels, revisions } = this.#parts;
    const { teacher, world } = classrooms.find(cohort) ?? {};
    const model = teacher?.models.find((candidate) => candidate.name === name);
    if (!model || !world) {
      const message = `There is no model ${JSON.stringify(name)}: it was unloaded`;
      throw new AccreteError('MODEL_NOT_FOUND', message, { metadata: { model: name } });
    }
    const hashes = model.hashes(kernels);
    const shared = world.hashes(kernels);
    const { ids, interactions, requestIds, features, ledger } = shared;
    const all = combineHashes([hashes.all, ids, interactions, requestIds, features, ledger]);
    const { version } = model;
    return { revision: revisions.learned, version, all, model: hashes.all, tables: hashes.tables, world: shared };
  }

  /** Anything but ratings: one at a time, with everything before it learned. */
  async #answerAsked(asked: Asked): Promise<void> {
    const { journal, revisions, tell } = this.#parts;
    let examined: Examined;
    try {
      examined = await this.#examine(asked);
      if (examined.record) await this.#makeDurable(examined.record);
    } catch (error) {
      return answer(asked, ANSWER.refused, refusalOf(error, tell));
    }
    const { record, finish, ...answers } = examined;
    if (record) {
      revisions.issued = journal.lastRevision;
      this.#parts.classrooms.follow(journal.lastRevision, record);
      revisions.learned = journal.lastRevision;
    }
    const revision = record ? revisionText(journal.lastRevision) : '';
    try {
      const said: ChangeAnswer = { revision, ...answers, ...(await finish?.()) };
      return await answer(asked, ANSWER.accepted, Buffer.from(JSON.stringify(said)));
    } catch (error) {
      return answer(asked, ANSWER.refused, refusalOf(error, tell));
    }
  }

  #examine({ kind, payload }: Asked): Examined | Promise<Examined> {
    const { decisions, featureIntake, forgetIntake } = this.#parts;
    if (kind === ASK.items) return featureIntake.examineItems(payload);
    if (kind === ASK.users) return featureIntake.examineUsers(payload);
    const change = JSON.parse(Buffer.from(payload).toString()) as Change;
    if (change.type === 'itemsDeleted') return featureIntake.examineDeletion(change);
    if (change.type === 'forget') return forgetIntake.examineUser(change);
    if (change.type === 'forgetRequests') return forgetIntake.examineRequests(change);
    return change.type === 'seal' ? forgetIntake.seal() : decisions.examine(change);
  }

  /** What makes no record can be asked for also when the disk takes none. */
  async #makeDurable(record: Uint8Array): Promise<void> {
    const known = this.#damage ?? this.#failure;
    const failure = known ?? (await this.#append([record])).failure;
    if (!failure) return;
    this.#parts.decisions.abandon();
    if (!known) this.#fail(failure);
    throw failure;
  }

  async #append(records: readonly Uint8Array[]): Promise<Flushed> {
    const { journal } = this.#parts;
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
    const { appendStart, appendEnd } = group;
    const append = { appendStart, appendEnd };
    const last = group.entries.findLast((entry) => entry.type === 'accepted');
    revisions.issued = journal.lastRevision;
    const answers = group.entries.map((entry) => {
      if (entry.type === 'settled') return { entry, kind: entry.answer, payload: entry.payload };
      const learnStart = now();
      const meter = entry.traced ? new ModelMeter(now) : undefined;
      this.#parts.teacher.meter = meter;
      const payload = this.#learnAccepted(entry);
      this.#parts.teacher.meter = undefined;
      return {
        entry,
        kind: ANSWER.accepted,
        payload,
        timings: meter && { ...append, taken: entry.takenMs, learnStart, learnEnd: now(), models: meter.times },
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
  #learnAccepted({ what, revision, record, ratings, predictionsOf, takenMs }: Accepted): Uint8Array {
    const { teacher, counters } = this.#parts;
    if (what === 'exposures') {
      this.#parts.classrooms.follow(revision, record);
      this.#count(record, 0);
      return Buffer.from(JSON.stringify({ revision: revisionText(revision) } satisfies ChangeAnswer));
    }
    const values = predictionsOf.map(() => new Float64Array(ratings));
    this.#parts.classrooms.follow(revision, record, (n) => {
      for (let p = 0; p < predictionsOf.length; p++) values[p][n] = teacher.predictions[predictionsOf[p]];
    });
    this.#count(record, ratings);
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

  /** What is learned makes checkpoints due. */
  #count(record: Uint8Array, events: number): void {
    const { counters } = this.#parts;
    counters.add('eventsLearned', events);
    counters.add('bytesLearned', record.byteLength);
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
    const isNews = failure.message !== this.#failure?.message;
    this.#failure = failure;
    this.#retryAtMs = performance.now() + RETRY_MS;
    const cause = failure.cause instanceof Error ? ` (${failure.cause.message})` : '';
    if (isNews) this.#parts.tell({ type: 'writable', writable: false, why: failure.message + cause });
  }

  /** Reopens the journal, learns what of the failed append is on disk after all, and tries to write. */
  async #tryDisk(): Promise<void> {
    const { journal, revisions, decisions, classrooms, tell } = this.#parts;
    try {
      await journal.reopen();
      this.replay();
      tell({ type: 'decided', deployment: decisions.deployment, cohorts: classrooms.descriptors });
      const amends = decisions.amends();
      const records = [{ type: 'resumed' } as const, ...(amends ? [amends] : [])].map(encodeControl);
      await journal.append(records);
      if (amends) decisions.follow(amends, journal.lastRevision, true);
      revisions.issued = revisions.learned = journal.lastRevision;
      this.#failure = undefined;
      if (amends) tell({ type: 'decided', deployment: decisions.deployment, cohorts: classrooms.descriptors });
      tell({ type: 'writable', writable: true, why: '' });
    } catch (error) {
      this.#fail(stillFailing(error));
    }
  }
}

/** Whatever keeps the disk from being used again, those who wait for it may send again what they sent. */
function stillFailing(error: unknown): AccreteError {
  const cause = error instanceof AccreteError && error.reason === 'INTERNAL' ? error.cause : error;
  return storeFailure(
    cause,
    'APPEND_FAILED',
    'nothing can be made durable now',
    'send it again with the same request_id',
  );
}

/** A refusal as it goes over a ring; what nobody expected is told. */
function refusalOf(error: unknown, tell: LearnerParts['tell']): Uint8Array {
  const refusal = AccreteError.wrap(error);
  if (refusal.reason === 'INTERNAL') tell({ type: 'fault', stack: String((error as Error).stack) });
  return Buffer.from(JSON.stringify(refusal));
}

const TOO_LARGE = new AccreteError('INTERNAL', 'the answer is larger than its ring: ask for fewer predictions at once');

/** Waits while the serving thread does not take its answers. */
async function answer(entry: Pick<Entry, 'lane' | 'call'>, kind: number, payload: Uint8Array): Promise<void> {
  const { answers } = entry.lane;
  const fits = payload.byteLength <= answers.payloadMax;
  const [sent, bytes] = fits ? [kind, payload] : [ANSWER.refused, Buffer.from(JSON.stringify(TOO_LARGE))];
  while (!answers.push(sent, entry.call, 0, bytes)) await sleep(ANSWER_RETRY_MS);
}

/** Milliseconds since 1970, with fractions. */
function now(): number {
  return performance.timeOrigin + performance.now();
}
