import { AccreteError } from '../errors.ts';
import type { Arena } from '../memory/arena.ts';
import type { WritableWorld } from '../memory/world.ts';
import { type RatingBatch, RETRACT } from '../store/rating-batch.ts';
import type { Classrooms } from '../teaching/classrooms.ts';
import { type Lesson, LessonReader } from '../teaching/lessons.ts';

/** What ratings may ask of the memory. */
export interface Load {
  /** Those that may need a row of their own, events among them. */
  readonly added: number;
  readonly events: number;
  /** All that models learn. */
  readonly lessons: number;
  readonly retractions: number;
  readonly exposures: number;
}

interface RoomParts {
  readonly classrooms: Classrooms;
  readonly arena: Arena;
}

const NOTHING: Load = { added: 0, events: 0, lessons: 0, retractions: 0, exposures: 0 };

/** Sees to it that learning never runs out of memory half-way: what might not fit is refused before. */
export class Room {
  readonly #parts: RoomParts;
  readonly #reader = new LessonReader();
  /** Of what was accepted and is not learned yet. */
  #pending = NOTHING;

  constructor(parts: RoomParts) {
    this.#parts = parts;
  }

  /** What a batch may ask for beside what is pending. Throws MEMORY_FULL. */
  require(batch: RatingBatch): Load {
    const most = loadOf(batch);
    // A retraction only copies two lists, into room that adding always leaves free.
    if (most.lessons === 0 || this.#fits(most)) return most;
    const exact = { ...most, added: most.added - this.#countEdits(batch, most) };
    if (exact.added < most.added && this.#fits(exact)) return exact;
    throw new AccreteError(
      'MEMORY_FULL',
      'The memory for users, items and ratings is used up: raise memory.budgetMiB and start again',
    );
  }

  /** The same of exposures. Throws MEMORY_FULL. */
  requireExposures(exposures: number): Load {
    const load = { ...NOTHING, exposures };
    if (this.#fits(load)) return load;
    throw new AccreteError('MEMORY_FULL', 'The memory for units of experiments is used up');
  }

  take(load: Load): void {
    this.#pending = sum(this.#pending, load, 1);
  }

  /** What was taken is learned, or will not be. */
  give(load: Load): void {
    this.#pending = sum(this.#pending, load, -1);
  }

  #fits(load: Load): boolean {
    const { classrooms, arena } = this.#parts;
    const { added, events, lessons, exposures } = sum(this.#pending, load, 1);
    const needed = classrooms.growthBytes(({ world, teacher }) => {
      const rows = added > 0 ? world.growthBytes(added, events) : 0;
      return rows + teacher.growthBytes(added, lessons);
    });
    return needed + classrooms.main.world.ledger.growthBytes(exposures) <= arena.freeBytes;
  }

  /** Ratings of pairs that have one in every world, which stays where it is; none where one may be taken back before. */
  #countEdits(batch: RatingBatch, { retractions }: Load): number {
    if (retractions + this.#pending.retractions > 0) return 0;
    const worlds = this.#parts.classrooms.all.map(({ world }) => world);
    let edits = 0;
    for (let n = 0; n < batch.count; n++) {
      const lesson = this.#reader.read(batch, n, 0, 0);
      if (lesson.kind.length > 0) continue;
      if (worlds.every((world) => hasRating(world, lesson))) edits++;
    }
    return edits;
  }
}

function hasRating({ users, items, interactions }: WritableWorld, lesson: Lesson): boolean {
  const [user, item] = [users.find(lesson.user), items.find(lesson.item)];
  return user >= 0 && item >= 0 && interactions.find(user, item) >= 0;
}

/** At most: as if no pair had a rating yet. */
function loadOf(batch: RatingBatch): Load {
  let [events, retractions] = [0, 0];
  for (let n = 0; n < batch.count; n++) {
    if ((batch.flags[n] & RETRACT) !== 0) retractions++;
    else if (batch.kindLength[n] > 0) events++;
  }
  const lessons = batch.count - retractions;
  return { added: lessons, events, lessons, retractions, exposures: 0 };
}

function sum(a: Load, b: Load, sign: 1 | -1): Load {
  return {
    added: a.added + sign * b.added,
    events: a.events + sign * b.events,
    lessons: a.lessons + sign * b.lessons,
    retractions: a.retractions + sign * b.retractions,
    exposures: a.exposures + sign * b.exposures,
  };
}
