import type { PromoteChange } from '../exchange/messages.ts';
import type { Arena } from '../memory/arena.ts';
import { Rendezvous } from '../memory/rendezvous.ts';
import type { Model, ModelDescriptor } from '../models/model.ts';
import type { LoadedModel, ModelVersion } from '../store/control.ts';
import type { Checkpoints } from './checkpoints.ts';
import type { LearnerQueue } from './learner-queue.ts';
import type { ModelDirectory } from './model-directory.ts';

/**
 * Versions of models that take the place of those that serve. A job makes the candidate beside the stream and catches up;
 * the learner lets it join in its place among the ratings; readers see it from that record on; then the version that
 * served is kept, and its memory given back.
 */

/** What a job that makes a candidate says. */
export type CandidateNews<Report> =
  | { readonly type: 'report'; readonly report: Report }
  | { readonly type: 'caughtUp' }
  | { readonly type: 'saved'; readonly from: number };

/** What is to be made. */
export interface Candidacy<Report> {
  readonly name: string;
  readonly version: string;
  readonly origin: string;
  /** What is used up of the guard's margin afterwards. */
  readonly spent: () => number;
  /** Begins the job; `rendezvous` is where it meets the learner. */
  readonly begin: (descriptor: ModelDescriptor, rendezvous: number) => AsyncGenerator<CandidateNews<Report>>;
}

export type PromotionStep<Report> =
  | { readonly type: 'report'; readonly report: Report }
  | { readonly type: 'promoted'; readonly version: ModelVersion };

export interface PromotionsParts {
  readonly arena: Arena;
  readonly directory: ModelDirectory;
  readonly queue: LearnerQueue;
  readonly checkpoints: Checkpoints;
  /** Attaches to a model in the shared memory, by the plugin of one that serves. */
  readonly attach: (like: Model, descriptor: ModelDescriptor) => Model;
  /** Saves a version that nobody changes any more, as of a revision. */
  readonly keep: (descriptor: ModelDescriptor, loadedMs: number, revision: number) => Promise<unknown>;
  /** Removes the files of versions that are kept no more. */
  readonly tidy: (models: readonly LoadedModel[]) => void;
  readonly onFailure: (error: unknown) => void;
}

export class Promotions {
  readonly #parts: PromotionsParts;

  constructor(parts: PromotionsParts) {
    this.#parts = parts;
  }

  /**
   * Says whether there is room for another version of a model, and nobody else makes one. Throws MODEL_NOT_FOUND,
   * MODEL_CHANGING, MEMORY_FULL.
   */
  async examine(name: string, version: string): Promise<void> {
    await this.#parts.queue.change({ type: 'admitVersion', name, version, validateOnly: true });
  }

  /** Whatever fails before the candidate joins, the model is as it was. Throws what `examine` throws, and the job. */
  async *run<Report>(candidacy: Candidacy<Report>): AsyncGenerator<PromotionStep<Report>> {
    const { arena, queue, directory, checkpoints } = this.#parts;
    const { name, version } = candidacy;
    const served = directory.require(name);
    const admitted = await queue.change({ type: 'admitVersion', name, version, validateOnly: false });
    const descriptor = admitted.descriptor as ModelDescriptor;
    const meeting = new Rendezvous(arena);
    let releaseCheckpoints = () => {};
    let promoted: ModelVersion | undefined;
    try {
      for await (const news of candidacy.begin(descriptor, meeting.address)) {
        if (news.type === 'report') yield news;
        if (news.type === 'caughtUp') {
          releaseCheckpoints = await checkpoints.pause();
          meeting.allow();
        }
        if (news.type === 'saved') promoted = await this.#promote(candidacy, news.from, served, descriptor, meeting);
        if (promoted) break;
      }
    } finally {
      // Its thread is over by now; had it stopped half way, nobody writes there any more.
      if (!promoted) await queue.change({ type: 'discard', name });
      meeting.free();
      // Forgetting someone waits for this too: then it finds every file that may know them.
      if (promoted) await this.#keep(served, admitted.model as LoadedModel, promoted).finally(releaseCheckpoints);
      else releaseCheckpoints();
    }
    if (!promoted) return;
    yield { type: 'promoted', version: promoted };
  }

  /** Nothing may fail once the learner has it. */
  async #promote<Report>(
    { name, origin, spent }: Candidacy<Report>,
    from: number,
    served: Model,
    descriptor: ModelDescriptor,
    meeting: Rendezvous,
  ): Promise<ModelVersion> {
    const { attach, directory, queue } = this.#parts;
    const model = attach(served, descriptor);
    directory.expect(name, model, () => meeting.hasJoined);
    const change: PromoteChange = { type: 'promote', name, origin, from, spent: spent(), rendezvous: meeting.address };
    try {
      const { promotion, revision } = await queue.change(change);
      if (!promotion) throw new Error('the learner did not say what it has decided');
      return directory.promote(promotion, Number(revision));
    } catch (error) {
      directory.expect(name, undefined);
      model.release();
      throw error;
    }
  }

  /** A version that could not be kept is learned again from the journal when it is wanted back. */
  async #keep(served: Model, { loadedMs }: LoadedModel, { revision }: ModelVersion): Promise<void> {
    const { keep, queue, tidy, directory, onFailure } = this.#parts;
    await keep(served.descriptor, loadedMs, revision - 1).catch(onFailure);
    served.release();
    await queue.change({ type: 'retire', name: served.name });
    tidy(directory.decided);
  }
}
