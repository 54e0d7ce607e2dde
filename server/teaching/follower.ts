import { DEFAULT_NAMESPACE, type WritableWorld } from '../memory/world.ts';
import { type Control, decodeControl } from '../store/control.ts';
import type { Decided } from '../store/deployment.ts';
import { decodeExposures } from '../store/exposure-codec.ts';
import { decodeItems, decodeUsers } from '../store/feature-codec.ts';
import { RATINGS_MAX, RatingBatch } from '../store/rating-batch.ts';
import { decodeRateRequest } from '../store/rating-codec.ts';
import { decodeRecord } from '../store/record.ts';
import { ofRecord } from '../store/record-contents.ts';
import { Attribution } from './attribution.ts';
import { FeatureWriter } from './features.ts';
import { type Lesson, LessonReader } from './lessons.ts';
import type { Teacher } from './teacher.ts';

/** Hears of a decision, and of the record that has it. */
type OnControl = (control: Control, revision: number) => void;

/** What work beside the stream does otherwise. */
export interface FollowerOptions {
  /** Says of each lesson whether it is taught; without it all are. */
  readonly admits?: (lesson: Lesson) => boolean;
  /** Whether ids of requests, and what is known of experiments, are kept: only a thread that answers requests needs them. */
  readonly remembersRequests?: boolean;
  /** Whether rows have the numbers that records say; not so where lessons or records are left out. */
  readonly hasAllRows?: boolean;
}

/**
 * Follows the journal: brings a world and the models of a teacher from one record to the next. Live learning, a restart
 * and work beside the stream all do it by this one function, so they come to the same bytes.
 */
export class Follower {
  readonly #world: WritableWorld;
  readonly #teacher: Teacher;
  readonly #onControl: OnControl;
  readonly #features: FeatureWriter;
  readonly #options: FollowerOptions;
  readonly #lessons = new LessonReader();
  readonly #batch = new RatingBatch(RATINGS_MAX);
  /** Undefined: nothing is kept of experiments here. */
  readonly #attribution: Attribution | undefined;

  /** `onControl` hears of decisions that are no part of the world. */
  constructor(world: WritableWorld, teacher: Teacher, onControl: OnControl, options: FollowerOptions = {}) {
    this.#world = world;
    this.#teacher = teacher;
    this.#onControl = onControl;
    this.#features = new FeatureWriter(world, teacher);
    this.#options = options;
    if (options.remembersRequests !== false) this.#attribution = new Attribution(world, teacher);
  }

  /** Goes on from a checkpoint, by which this was decided. */
  resume({ experiments, stores }: Pick<Decided, 'experiments' | 'stores'>): void {
    this.#attribution?.settle(experiments?.values() ?? [], stores?.[0]?.id);
  }

  /** Record `bytes` of the journal, number `revision`. `onTaught` hears of each of its ratings when it is learned. */
  follow(revision: number, bytes: Uint8Array, onTaught: (n: number) => void = () => {}): void {
    const { type, receivedAtMs, payload } = decodeRecord(bytes, revision);
    switch (type) {
      case 'ratings':
        this.#learn(revision, receivedAtMs, payload, onTaught);
        break;
      case 'items':
        this.#features.writeItems(ofRecord(revision, () => decodeItems(payload)).entries);
        break;
      case 'users':
        this.#features.writeUsers(ofRecord(revision, () => decodeUsers(payload)).entries);
        break;
      case 'exposures':
        this.#attribution?.expose(ofRecord(revision, () => decodeExposures(payload)));
        break;
      case 'control':
        this.#control(
          ofRecord(revision, () => decodeControl(payload)),
          revision,
        );
    }
  }

  /** Events are learned with what their kinds mean at their place in the journal. */
  #control(control: Control, revision: number): void {
    if (control.type === 'settings' && control.kinds) this.#world.kinds.configure(control.kinds);
    this.#attribution?.control(control);
    if (control.type === 'itemsDeleted') this.#features.deleteItems(control.itemIds);
    else if (control.type === 'forgotten') {
      this.#attribution?.forget(control.units ?? [], control.answers ?? []);
      this.#forget(control.user, revision);
    } else if (control.type === 'requestsForgotten') this.#world.requestIds.forget(new Set(control.requests));
    else this.#onControl(control, revision);
  }

  /**
   * A row that is nobody's has nothing to forget: its records were rewritten. Where not all is followed that made rows the
   * number may be somebody else's.
   */
  #forget(user: number, revision: number): void {
    const { users, userFeatures, reclaimer } = this.#world;
    const { hasAllRows = true } = this.#options;
    if (!hasAllRows || !users.isSomebody(user)) return;
    this.#teacher.forget(user, revision);
    userFeatures.forget(user, reclaimer);
    users.remove(user);
  }

  #learn(revision: number, receivedAtMs: number, payload: Uint8Array, onTaught: (n: number) => void): void {
    const batch = this.#batch;
    const { admits, remembersRequests = true } = this.#options;
    ofRecord(revision, () => decodeRateRequest(payload, batch));
    for (let n = 0; n < batch.count; n++) {
      const lesson = this.#lessons.read(batch, n, revision, receivedAtMs);
      if (lesson.user.length === 0) {
        this.#teacher.keepPlace(lesson);
        continue;
      }
      if (!admits || admits(lesson)) this.#teacher.teach(lesson);
      if (this.#attribution?.isActive)
        this.#attribution.attribute(
          lesson,
          batch.text(batch.recommendationStart[n], batch.recommendationLength[n]),
          receivedAtMs,
        );
      onTaught(n);
    }
    if (remembersRequests && batch.requestIdLength > 0) this.#remember(revision, receivedAtMs);
  }

  #remember(revision: number, receivedAtMs: number): void {
    const { requestIds, reclaimer } = this.#world;
    const { bytes, requestIdStart, requestIdLength, count: accepted } = this.#batch;
    const id = bytes.subarray(requestIdStart, requestIdStart + requestIdLength);
    const digest = this.#batch.digest();
    requestIds.add({ id, namespace: DEFAULT_NAMESPACE, digest, revision, accepted, receivedAtMs }, reclaimer);
  }
}
