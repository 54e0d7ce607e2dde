import { DEFAULT_NAMESPACE } from '../memory/world.ts';
import { type RatingBatch, RETRACT } from '../store/rating-batch.ts';
import type { Lesson } from './teacher.ts';

/** Reads ratings of a batch as lessons, into one object that is reused. */
export class LessonReader {
  readonly lesson: Lesson = {
    user: { bytes: new Uint8Array(), start: 0, length: 0, namespace: DEFAULT_NAMESPACE },
    item: { bytes: new Uint8Array(), start: 0, length: 0, namespace: DEFAULT_NAMESPACE },
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
    lesson.retract = (batch.flags[n] & RETRACT) !== 0;
    lesson.value = batch.value[n];
    lesson.weight = batch.weight[n];
    lesson.seconds = batch.secondsOf(n, receivedAtMs);
    lesson.nanos = batch.nanosOf(n, receivedAtMs);
    lesson.revision = revision;
    return lesson;
  }
}
