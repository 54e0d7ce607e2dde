import { randomInt } from 'node:crypto';
import type { Arena } from '../memory/arena.ts';
import type { IdKey, Ids } from '../memory/ids.ts';
import { loadHostKernels } from '../memory/kernels/host-kernels.ts';
import type { Reclaimer } from '../memory/readers.ts';
import { Region } from '../memory/region.ts';
import type { Scale } from '../memory/scale.ts';
import { WritableWorld } from '../memory/world.ts';
import type { CohortDescriptor } from '../models/cohort-descriptor.ts';
import { modelsBehind } from '../models/inputs.ts';
import type { ModelHost } from '../models/model.ts';
import { Peers } from '../models/peers.ts';
import { makeTables, type WritableModel } from '../models/writable-model.ts';
import { Classroom } from './classroom.ts';
import type { Lesson } from './lessons.ts';
import { Teacher, type TeacherOptions } from './teacher.ts';

/**
 * Some of the users, with a world of their own: it begins with all that the main one has, and learns from then on what these
 * users do, and no others. Items, and what is told of items and users, are the same in all worlds. It lies in a region of the
 * memory, which is given back as a whole.
 */

export interface CohortChoice {
  /** What tells it from others. */
  readonly key: string;
  /** The model that answers these users; with it come the models that it has as inputs. */
  readonly model: string;
  /** Whether a user is one of them. */
  readonly admits: (user: IdKey) => boolean;
}

export interface CohortParts {
  readonly arena: Arena;
  readonly scale: Scale;
  readonly options: TeacherOptions;
  /** Of the main world, which gives users the numbers that records say. */
  readonly users: Ids;
}

/** Requests are remembered by the main world alone. */
const NO_REQUESTS = 1;

export class Cohort extends Classroom {
  readonly key: string;
  readonly #region: Region;
  #choice: CohortChoice;
  #isTaught = false;

  private constructor(region: Region, world: WritableWorld, teacher: Teacher, users: Ids, choice: CohortChoice) {
    super(world, teacher, () => {}, { remembersRequests: false, rowOf: (user) => findSame(users, user, world) });
    this.key = choice.key;
    this.#region = region;
    this.#choice = choice;
  }

  /** About how much memory a new one takes. */
  static copyBytes({ world, teacher }: Classroom, choice: CohortChoice): number {
    const tables = modelsOf(choice, teacher.models).flatMap((model) => Object.values(model.stateTables()));
    return Region.heldBytes(tables.reduce((sum, { copyBytes }) => sum + copyBytes, world.copyBytes));
  }

  /** Throws MEMORY_FULL, and then nothing of it is left. */
  static copy({ world, teacher }: Classroom, choice: CohortChoice, parts: CohortParts): Cohort {
    return Cohort.make(choice, parts, world.reclaimer, (host) => {
      host.world.copy(world);
      return modelsOf(choice, teacher.models).map((model) => {
        const { version, prequential, ...spec } = model.descriptor;
        return model.copyTo(host, makeTables(host.arena, model.plugin, spec, prequential.window, version));
      });
    });
  }

  /** One that `fill` makes: its world, and its models. Throws what that throws, and then nothing of it is left. */
  static make(choice: CohortChoice, parts: CohortParts, reclaimer: Reclaimer, fill: Fill): Cohort {
    const { arena, scale, options, users } = parts;
    const region = new Region(arena);
    try {
      const world = WritableWorld.create(region, randomInt(2 ** 32), NO_REQUESTS);
      const host = { arena: region, world, scale, peers: new Peers() };
      const models = fill(host);
      const teacher = new Teacher(host, loadHostKernels(region.memory), models, {
        ...options,
        onQuarantine: (model, why) => options.onQuarantine(model, why, choice.key),
        onDrift: (model, drift) => options.onDrift?.(model, drift, choice.key),
      });
      return new Cohort(region, world, teacher, users, choice);
    } catch (error) {
      region.drop(reclaimer);
      throw error;
    }
  }

  /** Bytes that it holds of the memory. */
  get bytes(): number {
    return this.#region.bytes;
  }

  get descriptor(): CohortDescriptor {
    return {
      key: this.key,
      world: this.world.descriptor,
      models: this.teacher.models.map(({ descriptor }) => descriptor),
    };
  }

  /** From here on its users are these. */
  choose(choice: CohortChoice): void {
    this.#choice = choice;
  }

  /** Learns what one of its users did. */
  teach(lesson: Lesson): void {
    this.#isTaught = this.#choice.admits(lesson.user);
    if (this.#isTaught) this.teacher.teach(lesson);
  }

  /** Whether the last lesson was one of its users'. */
  get isTaught(): boolean {
    return this.#isTaught;
  }

  override growthBytes(bytes: number): number {
    return Region.growthBytes(bytes);
  }

  /** Gives its memory back, by way of the main world's reclaimer; it learns no more, and nobody begins to read it. */
  drop(reclaimer: Reclaimer): void {
    this.#region.drop(reclaimer);
  }
}

export type Fill = (host: ModelHost & { readonly world: WritableWorld }) => WritableModel[];

/** The model of a choice, of two versions that one which others see, and those behind it. */
function modelsOf({ model: name }: CohortChoice, models: readonly WritableModel[]): WritableModel[] {
  const own = models.find((model) => model.name === name);
  return own ? [own, ...modelsBehind([own], models)] : [];
}

/** The row in a world of a user with a row among others; -1: none. */
function findSame(users: Ids, row: number, { users: own, arena }: WritableWorld): number {
  if (!users.isSomebody(row)) return -1;
  const { address: start, length } = users.place(row);
  return own.find({ bytes: arena.u8, start, length, namespace: users.namespace(row) });
}
