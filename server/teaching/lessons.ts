import type { IdKey } from '../memory/ids.ts';
import { DEFAULT_NAMESPACE } from '../memory/world.ts';
import { type RatingBatch, RETRACT } from '../store/rating-batch.ts';

/** A rating or an event to be learned: its texts as they lie in the message, its value on the deployment's scale. */
export interface Lesson {
  user: IdKey;
  item: IdKey;
  /** Of length 0: the rating itself. */
  kind: IdKey;
  retract: boolean;
  /** NaN for an event without one. */
  value: number;
  weight: number;
  /** Event time: whole seconds since 1970 and nanoseconds. */
  seconds: number;
  nanos: number;
  /** The record that brought it. */
  revision: number;
}

/** Reads ratings of a batch as lessons, into one object that is reused. */
export class LessonReader {
  readonly lesson: Lesson = {
    user: { bytes: new Uint8Array(), start: 0, length: 0, namespace: DEFAULT_NAMESPACE },
    item: { bytes: new Uint8Array(), start: 0, length: 0, namespace: DEFAULT_NAMESPACE },
    kind: { bytes: new Uint8Array(), start: 0, length: 0, namespace: DEFAULT_NAMESPACE },
    retract: false,
    value: 0,
    weight: 1,
    seconds: 0,
    nanos: 0,
    revision: 0,
  };

  /** Rating `n` of a batch that record `revision` brought at `receivedAtMs`, which is its time when it has none. */
  read(batch: RatingBatch, n: number, revision: number, receivedAtMs: number): Lesson {
    const { lesson } = this;
    lesson.user.bytes = batch.bytes;
    lesson.user.start = batch.userStart[n];
    lesson.user.length = batch.userLength[n];
    lesson.item.bytes = batch.bytes;
    lesson.item.start = batch.itemStart[n];
    lesson.item.length = batch.itemLength[n];
    lesson.kind.bytes = batch.bytes;
    lesson.kind.start = batch.kindStart[n];
    lesson.kind.length = batch.kindLength[n];
    lesson.retract = (batch.flags[n] & RETRACT) !== 0;
    lesson.value = batch.value[n];
    lesson.weight = batch.weight[n];
    lesson.seconds = batch.secondsOf(n, receivedAtMs);
    lesson.nanos = batch.nanosOf(n, receivedAtMs);
    lesson.revision = revision;
    return lesson;
  }
}
