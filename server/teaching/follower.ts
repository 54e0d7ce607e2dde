import { DEFAULT_NAMESPACE, type WritableWorld } from '../memory/world.ts';
import type { Control } from '../store/control.ts';
import type { Decided } from '../store/deployment.ts';
import type { RatingBatch } from '../store/rating-batch.ts';
import { Attribution, type TeacherOf } from './attribution.ts';
import { FeatureWriter } from './features.ts';
import { type Lesson, LessonReader } from './lessons.ts';
import { type ReadRecord, RecordReader } from './record-reader.ts';
import type { Teacher } from './teacher.ts';

/** Hears of a decision, and of the record that has it. */
export type OnControl = (control: Control, revision: number) => void;

/** What work beside the stream does otherwise. */
export interface FollowerOptions {
  /** Says of each lesson whether it is taught; without it all are. */
  readonly admits?: (lesson: Lesson) => boolean;
  /** Whether ids of requests, and what is known of experiments, are kept: only a thread that answers requests needs them. */
  readonly remembersRequests?: boolean;
  /**
   * The row here of a user to whom records give a number, or -1; without it the same. Another one where lessons or records
   * are left out.
   */
  readonly rowOf?: (user: number) => number;
  /** Who teaches the models of arms; without it all have this teacher. */
  readonly teacherOf?: TeacherOf;
  /** Hears of each lesson just before it is taught. */
  readonly beside?: (lesson: Lesson) => void;
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
  /** Of whoever does not read records elsewhere. */
  #reader: RecordReader | undefined;
  /** Undefined: nothing is kept of experiments here. */
  readonly #attribution: Attribution | undefined;

  /** `onControl` hears of decisions that are no part of the world. */
  constructor(world: WritableWorld, teacher: Teacher, onControl: OnControl, options: FollowerOptions = {}) {
    this.#world = world;
    this.#teacher = teacher;
    this.#onControl = onControl;
    this.#features = new FeatureWriter(world, teacher);
    this.#options = options;
    if (options.remembersRequests !== false) this.#attribution = new Attribution(world, teacher, options.teacherOf);
  }

  /** Goes on from a checkpoint, by which this was decided. */
  resume({ experiments, stores }: Pick<Decided, 'experiments' | 'stores'>): void {
    this.#attribution?.settle(experiments?.values() ?? [], stores?.[0]?.id);
  }

  /** Record `bytes` of the journal, number `revision`. `onTaught` hears of each of its ratings when it is learned. */
  follow(revision: number, bytes: Uint8Array, onTaught: (n: number) => void = () => {}): void {
    this.#reader ??= new RecordReader();
    this.take(this.#reader.read(revision, bytes), onTaught);
  }

  /** The same of a record that was read. */
  take(record: ReadRecord, onTaught: (n: number) => void = () => {}): void {
    const { revision } = record;
    switch (record.type) {
      case 'ratings':
        this.#learn(revision, record.receivedAtMs, record.batch, onTaught);
        break;
      case 'items':
        this.#features.writeItems(record.entries);
        break;
      case 'users':
        this.#features.writeUsers(record.entries);
        break;
      case 'exposures':
        this.#attribution?.expose(record.exposures);
        break;
      case 'control':
        this.#control(record.control, revision);
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
    const { rowOf } = this.#options;
    const row = rowOf ? rowOf(user) : user;
    if (!users.isSomebody(row)) return;
    this.#teacher.forget(row, revision);
    userFeatures.forget(row, reclaimer);
    users.remove(row);
  }

  #learn(revision: number, receivedAtMs: number, batch: RatingBatch, onTaught: (n: number) => void): void {
    const { admits, beside, remembersRequests = true } = this.#options;
    for (let n = 0; n < batch.count; n++) {
      const lesson = this.#lessons.read(batch, n, revision, receivedAtMs);
      if (lesson.user.length === 0) {
        this.#teacher.keepPlace(lesson);
        continue;
      }
      beside?.(lesson);
      if (!admits || admits(lesson)) this.#teacher.teach(lesson);
      if (this.#attribution?.isActiveAt(receivedAtMs))
        this.#attribution.attribute(
          lesson,
          batch.text(batch.recommendationStart[n], batch.recommendationLength[n]),
          receivedAtMs,
        );
      onTaught(n);
    }
    if (remembersRequests && batch.requestIdLength > 0) this.#remember(revision, receivedAtMs, batch);
  }

  #remember(revision: number, receivedAtMs: number, batch: RatingBatch): void {
    const { requestIds, reclaimer } = this.#world;
    const { bytes, requestIdStart, requestIdLength, count: accepted } = batch;
    const id = bytes.subarray(requestIdStart, requestIdStart + requestIdLength);
    const digest = batch.digest();
    requestIds.add({ id, namespace: DEFAULT_NAMESPACE, digest, revision, accepted, receivedAtMs }, reclaimer);
  }
}
