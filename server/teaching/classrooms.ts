import type { WritableWorld } from '../memory/world.ts';
import type { CohortDescriptor } from '../models/cohort-descriptor.ts';
import type { Decided } from '../store/deployment.ts';
import type { TeacherOf } from './attribution.ts';
import { Classroom } from './classroom.ts';
import { Cohort, type CohortChoice, type CohortParts, type Fill } from './cohort.ts';
import { cohortKey } from './cohort-choices.ts';
import type { OnControl } from './follower.ts';
import type { Lesson } from './lessons.ts';
import { RecordReader } from './record-reader.ts';
import type { Teacher } from './teacher.ts';

/** All who learn: the main world, which learns everything, and cohorts that come and go. What teaches one teaches all. */
export class Classrooms {
  readonly main: Classroom;
  readonly #parts: CohortParts;
  readonly #reader = new RecordReader();
  #cohorts: readonly Cohort[] = [];
  /** Made, and not yet decided. */
  #prepared: readonly Cohort[] = [];
  /** Those that learn no more, and that others may still read. */
  #left: readonly Cohort[] = [];

  /** Hears of decisions that are no part of a world, once all have learned what came before. */
  onControl: OnControl = () => {};

  constructor(world: WritableWorld, teacher: Teacher, parts: Omit<CohortParts, 'users'>) {
    const beside = (lesson: Lesson) => {
      for (const cohort of this.#cohorts) cohort.teach(lesson);
    };
    const teacherOf: TeacherOf = (experiment, arm) => {
      if (experiment.learningScope !== 'isolated') return teacher;
      const cohort = this.#find(cohortKey(experiment, arm));
      return cohort?.isTaught ? cohort.teacher : undefined;
    };
    const onControl: OnControl = (control, revision) => this.onControl(control, revision);
    this.main = new Classroom(world, teacher, onControl, { beside, teacherOf });
    this.#parts = { ...parts, users: world.users };
  }

  get cohorts(): readonly Cohort[] {
    return this.#cohorts;
  }

  get all(): readonly Classroom[] {
    return [...this.#cohorts, this.main];
  }

  get descriptors(): CohortDescriptor[] {
    return this.#cohorts.map(({ descriptor }) => descriptor);
  }

  /** Record `bytes` of the journal, number `revision`. `onTaught`: as the main world learns it. */
  follow(revision: number, bytes: Uint8Array, onTaught?: (n: number) => void): void {
    const record = this.#reader.read(revision, bytes);
    // The main one is last: until then it knows who is forgotten, and what is decided is for the next record.
    if (record.type !== 'ratings') for (const cohort of this.#cohorts) cohort.take(record);
    this.main.take(record, onTaught);
  }

  /** Goes on from a checkpoint, by which this was decided. */
  resume(decided: Pick<Decided, 'experiments' | 'stores'>): void {
    this.main.resume(decided);
  }

  /** Bytes that all may ask the memory for; `bytesOf` says what one needs. */
  growthBytes(bytesOf: (classroom: Classroom) => number): number {
    return this.all.reduce((sum, each) => sum + each.growthBytes(bytesOf(each)), 0);
  }

  /** Frees what may be freed of all of them. */
  collect(): void {
    for (const { world } of this.all) world.reclaimer.collect();
  }

  /** About how much memory those of `choices` take that there are not yet. */
  copyBytes(choices: readonly CohortChoice[]): number {
    const missing = choices.filter(({ key }) => !this.#find(key));
    return missing.reduce((sum, choice) => sum + Cohort.copyBytes(this.main, choice), 0);
  }

  /** Makes those of `choices` that there are not yet, for the `settle` that follows. Throws MEMORY_FULL, and then made none. */
  prepare(choices: readonly CohortChoice[]): readonly Cohort[] {
    this.abandon();
    try {
      for (const choice of choices)
        if (!this.#find(choice.key)) this.#prepared = [...this.#prepared, Cohort.copy(this.main, choice, this.#parts)];
      return this.#prepared;
    } catch (error) {
      this.abandon();
      throw error;
    }
  }

  /** What was prepared is not decided. */
  abandon(): void {
    for (const cohort of this.#prepared) this.#drop(cohort);
    this.#prepared = [];
  }

  /** From here on these learn: new ones begin as the main world is now. Those that leave stay readable until `retire`. */
  settle(choices: readonly CohortChoice[]): void {
    const before = this.#cohorts;
    this.#cohorts = choices.map((choice) => {
      const present = this.#find(choice.key) ?? this.#prepared.find(({ key }) => key === choice.key);
      present?.choose(choice);
      return present ?? Cohort.copy(this.main, choice, this.#parts);
    });
    this.#prepared = this.#prepared.filter((cohort) => !this.#cohorts.includes(cohort));
    this.abandon();
    this.#left = [...this.#left, ...before.filter((cohort) => !this.#cohorts.includes(cohort))];
  }

  /** Adds one that `fill` makes as it was: its world, and its models. Throws what that throws. */
  restore(choice: CohortChoice, fill: Fill): void {
    const cohort = Cohort.make(choice, this.#parts, this.main.world.reclaimer, fill);
    this.#cohorts = [...this.#cohorts, cohort];
    for (const model of cohort.teacher.models) cohort.teacher.examine(model, 0);
  }

  /**
   * Gives the memory of those back that have left, and of which nobody begins to read any more. Others may have left since it
   * was said of these.
   */
  retire(keys: readonly string[]): void {
    for (const cohort of this.#left) if (keys.includes(cohort.key)) this.#drop(cohort);
    this.#left = this.#left.filter(({ key }) => !keys.includes(key));
  }

  /** "": the main one. */
  find(key: string): Classroom | undefined {
    return key === '' ? this.main : this.#find(key);
  }

  #find(key: string): Cohort | undefined {
    return this.#cohorts.find((cohort) => cohort.key === key);
  }

  #drop(cohort: Cohort): void {
    cohort.drop(this.main.world.reclaimer);
  }
}
