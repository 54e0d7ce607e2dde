import type { FusionPeriod } from '../config/fusion-period.ts';
import { AccreteError } from '../errors.ts';
import type { PromoteChange } from '../exchange/messages.ts';
import type { Arena } from '../memory/arena.ts';
import { Rendezvous } from '../memory/rendezvous.ts';
import type { Model, ModelDescriptor } from '../models/model.ts';
import type { LoadedModel, ModelVersion } from '../store/control.ts';
import type { Held } from '../store/held.ts';
import type { Change, ChangeAccount, ChangeOutcome } from '../store/history.ts';
import { type CandidateNews, CandidateWork } from './candidate-work.ts';
import type { Checkpoints } from './checkpoints.ts';
import type { LearnerQueue } from './learner-queue.ts';
import type { ModelDirectory } from './model-directory.ts';
import { StepQueue } from './step-queue.ts';

/**
 * Versions of models that take the place of those that serve. A job makes the candidate beside the stream and catches up;
 * the learner lets it join in its place among the ratings; readers see it from that record on; then the version that
 * served is kept, and its memory given back.
 */

/** What is to be made. */
export interface Candidacy<Report> {
  readonly name: string;
  readonly version: string;
  readonly origin: string;
  /** Its settings; absent: those of the version that serves. */
  readonly config?: ModelDescriptor['config'];
  readonly plugin?: string;
  /** The fusion period of the model once it serves, null for none; absent: as it is. */
  readonly fuse?: FusionPeriod | null | undefined;
  /** What is used up of the guard's margin afterwards. */
  readonly spent: () => number;
  /** What came to it by files. */
  readonly held: () => Held | undefined;
  /** What the history is to say of it. */
  readonly account: () => ChangeAccount;
  /** Nothing is to change, so the history says nothing of it. */
  readonly validateOnly: boolean;
  /** Begins the job; `rendezvous` is where it meets the learner, and `cut` ends it at once. */
  readonly begin: (
    descriptor: ModelDescriptor,
    rendezvous: number,
    cut: AbortSignal,
  ) => AsyncGenerator<CandidateNews<Report>>;
}

export type PromotionStep<Report> =
  | { readonly type: 'report'; readonly report: Report }
  | { readonly type: 'promoted'; readonly version: ModelVersion };

/** What a promotion is doing. */
export type PromotionPhase = 'make' | 'save' | 'join' | 'keep';

export interface PromotionsParts {
  readonly arena: Arena;
  readonly directory: ModelDirectory;
  readonly queue: LearnerQueue;
  readonly checkpoints: Checkpoints;
  /** Attaches to a model in the shared memory. */
  readonly attach: (descriptor: ModelDescriptor) => Promise<Model>;
  /** Saves a version that nobody changes any more, as of a revision. */
  readonly keep: (descriptor: ModelDescriptor, loadedMs: number, revision: number) => Promise<unknown>;
  /** Removes the files of versions of a model that are kept no more. */
  readonly tidy: (model: LoadedModel) => void;
  readonly onPhase: (model: string, version: string, phase: PromotionPhase) => void;
  readonly onPromoted: (model: string, version: ModelVersion, previous: string, reason: string) => void;
  /** A candidate was judged, and does not take the place. */
  readonly onDeclined: (model: string, reason: string) => void;
  /** The history of a model lacks what became of a candidate. */
  readonly onUnrecorded: (model: string, error: unknown) => void;
  /** A version that served could not be kept. */
  readonly onLost: (model: string, version: string, error: unknown) => void;
}

export class Promotions {
  readonly #parts: PromotionsParts;

  constructor(parts: PromotionsParts) {
    this.#parts = parts;
  }

  /**
   * Whatever fails before the candidate joins, and when it is `cancelled` or its steps are taken no more, the model is as it
   * was. How fast the steps are taken does not matter. Throws MODEL_NOT_FOUND, MODEL_CHANGING, MEMORY_FULL, and what the job
   * throws.
   */
  async *run<Report>(candidacy: Candidacy<Report>, cancelled: AbortSignal): AsyncGenerator<PromotionStep<Report>> {
    cancelled.throwIfAborted();
    const left = new AbortController();
    const steps = new StepQueue<PromotionStep<Report>>();
    const stopped = AbortSignal.any([cancelled, left.signal]);
    const work = this.#parts.directory
      .change(candidacy.name, () => this.#work(candidacy, stopped, steps))
      .then(
        () => steps.end(),
        (failure: unknown) => steps.end({ failure }),
      );
    try {
      yield* steps;
    } finally {
      left.abort();
      await work;
    }
  }

  /** Has the history of a model say what came to nothing. Whether it can makes no difference to anything else. */
  async record(name: string, change: Change): Promise<void> {
    const { directory, queue, onUnrecorded } = this.#parts;
    try {
      const { revision } = await queue.change({ type: 'declined', name, change });
      directory.remember(name, change, Number(revision));
    } catch (error) {
      onUnrecorded(name, error);
    }
  }

  async #work<Report>(
    candidacy: Candidacy<Report>,
    stopped: AbortSignal,
    steps: StepQueue<PromotionStep<Report>>,
  ): Promise<void> {
    const { queue, directory, onPromoted, onDeclined } = this.#parts;
    const { name, version, config, plugin, validateOnly } = candidacy;
    const served = directory.require(name);
    const learned = served.prequential.events;
    const admitted = await queue.change({ type: 'admitVersion', name, version, config, plugin });
    const changeOf = (outcome: ChangeOutcome): Change => {
      const previous = served.version;
      return { ...candidacy.account(), outcome, atMs: Date.now(), learned, previous, version };
    };
    const descriptor = admitted.descriptor as ModelDescriptor;
    const joined = await this.#join(candidacy, descriptor, () => changeOf('promoted'), stopped, steps);
    const { reason } = candidacy.account();
    if (!joined) {
      onDeclined(name, reason);
      if (!validateOnly) await this.record(name, changeOf('refused'));
      return;
    }
    const { promoted, releaseCheckpoints } = joined;
    onPromoted(name, promoted, served.version, reason);
    // Forgetting someone waits for this too: then it finds every file that may know them.
    await this.#keep(served, admitted.model as LoadedModel, promoted).finally(releaseCheckpoints);
    steps.put({ type: 'promoted', version: promoted });
  }

  /** No checkpoint is made until `releaseCheckpoints`. Undefined: there was nothing to promote. */
  async #join<Report>(
    candidacy: Candidacy<Report>,
    descriptor: ModelDescriptor,
    change: () => Change,
    stopped: AbortSignal,
    steps: StepQueue<PromotionStep<Report>>,
  ): Promise<{ readonly promoted: ModelVersion; readonly releaseCheckpoints: () => void } | undefined> {
    const { arena, checkpoints, queue, onPhase } = this.#parts;
    const { name, version } = candidacy;
    const meeting = new Rendezvous(arena);
    onPhase(name, version, 'make');
    const work = new CandidateWork(
      (cut) => candidacy.begin(descriptor, meeting.address, cut),
      meeting,
      (report: Report, isPassing) => steps.put({ type: 'report', report }, isPassing),
    );
    const stop = () => work.stop(stopped.reason);
    stopped.addEventListener('abort', stop, { once: true });
    if (stopped.aborted) stop();
    let releaseCheckpoints = () => {};
    let promoted: ModelVersion | undefined;
    let isUnknown = false;
    try {
      if (!(await work.caughtUp)) return undefined;
      releaseCheckpoints = await checkpoints.pause();
      onPhase(name, version, 'save');
      meeting.allow();
      const from = await work.saved;
      onPhase(name, version, 'join');
      // Only a candidate that did not come to the meeting has no record for sure: others may be on disk all the same.
      isUnknown = true;
      promoted = await this.#promote(candidacy, from, descriptor, change(), meeting);
      return { promoted, releaseCheckpoints };
    } catch (error) {
      isUnknown &&= AccreteError.wrap(error).reason !== 'MODEL_FAILED';
      throw error;
    } finally {
      stopped.removeEventListener('abort', stop);
      if (!promoted) work.stop(new Error('the candidate does not join'));
      await work.ended;
      // Nobody writes its tables any more.
      if (!promoted) {
        await queue.insist({ type: 'discard', name });
        // A start would need the file of a version that has a record.
        if (!isUnknown) this.#tidy(name);
        releaseCheckpoints();
      }
      meeting.free();
    }
  }

  /** Nothing may fail once the learner has it. */
  async #promote<Report>(
    { name, origin, fuse, spent, held }: Candidacy<Report>,
    from: number,
    descriptor: ModelDescriptor,
    change: Change,
    meeting: Rendezvous,
  ): Promise<ModelVersion> {
    const { attach, directory, queue } = this.#parts;
    const model = await attach(descriptor);
    directory.expect(name, model, () => meeting.hasJoined);
    const made = { origin, from, spent: spent(), held: held(), fuse };
    const asked: PromoteChange = { type: 'promote', name, ...made, rendezvous: meeting.address, change };
    try {
      const { promotion, revision } = await queue.insist(asked);
      if (!promotion) throw new Error('the learner did not say what it has decided');
      return directory.promote(promotion, Number(revision));
    } catch (error) {
      directory.expect(name, undefined);
      model.release();
      throw error;
    }
  }

  /** A version that could not be kept is learned again, from its older file or the journal, when it is wanted back. */
  async #keep(served: Model, { loadedMs }: LoadedModel, { revision }: ModelVersion): Promise<void> {
    const { keep, queue, onLost, onPhase } = this.#parts;
    const { name, version } = served;
    onPhase(name, version, 'keep');
    try {
      await keep(served.descriptor, loadedMs, revision - 1);
    } catch (error) {
      onLost(name, version, error);
    }
    served.release();
    this.#tidy(name);
    await queue.insist({ type: 'retire', name });
  }

  /** To be called while nobody else can make a version of this model. */
  #tidy(name: string): void {
    const { directory, tidy } = this.#parts;
    const { decided } = directory.requireEntry(name);
    if (decided) tidy(decided);
  }
}
