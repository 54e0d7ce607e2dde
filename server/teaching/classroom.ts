import type { WritableWorld } from '../memory/world.ts';
import type { Decided } from '../store/deployment.ts';
import { Follower, type FollowerOptions, type OnControl } from './follower.ts';
import type { ReadRecord } from './record-reader.ts';
import type { Teacher } from './teacher.ts';

/** A world with its models, and who teaches them what records say. */
export class Classroom {
  readonly world: WritableWorld;
  readonly teacher: Teacher;
  readonly #follower: Follower;

  constructor(world: WritableWorld, teacher: Teacher, onControl: OnControl, options: FollowerOptions = {}) {
    this.world = world;
    this.teacher = teacher;
    this.#follower = new Follower(world, teacher, onControl, options);
  }

  take(record: ReadRecord, onTaught?: (n: number) => void): void {
    this.#follower.take(record, onTaught);
  }

  /** Goes on from a checkpoint, by which this was decided. */
  resume(decided: Pick<Decided, 'experiments' | 'stores'>): void {
    this.#follower.resume(decided);
  }

  /** Bytes that it asks the memory for when it needs so many. */
  growthBytes(bytes: number): number {
    return bytes;
  }
}
