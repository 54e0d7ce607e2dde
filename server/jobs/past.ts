import { randomInt } from 'node:crypto';
import { AccreteError } from '../errors.ts';
import { Arena, type BudgetSetting } from '../memory/arena.ts';
import { loadHostKernels } from '../memory/kernels/host-kernels.ts';
import { Scale } from '../memory/scale.ts';
import { WritableWorld } from '../memory/world.ts';
import type { ModelHost } from '../models/model.ts';
import { Peers } from '../models/peers.ts';
import type { WritableModel } from '../models/writable-model.ts';
import type { CheckpointFolder } from '../store/checkpoints/checkpoint-folder.ts';
import type { Manifest } from '../store/checkpoints/manifest.ts';
import { findForgotten } from '../store/forget/forgotten-rows.ts';
import { Follower } from '../teaching/follower.ts';
import type { LiveHost } from '../teaching/live.ts';
import { restoreWorld } from '../teaching/restoring.ts';
import { Teacher, type TeacherOptions } from '../teaching/teacher.ts';
import type { JobContext } from './job-context.ts';

/**
 * A world of a job's own, as it was at an earlier revision, that learns the records after it: with models whose tables are
 * in the job's memory or in the server's. Rows have the same numbers as in the server.
 */
export class Past {
  readonly world: WritableWorld;
  readonly #context: JobContext;
  readonly #scale: Scale;
  readonly #peers = new Peers();
  #teacher: Teacher | undefined;
  #follower: Follower | undefined;
  #reached = 0;
  /** Called when a record is learned. */
  onReached: (revision: number) => void = () => {};

  /** `budgetMiB`: of the memory for the world, and for models that are made in it; of what `setting` allows. */
  constructor(context: JobContext, setting: BudgetSetting, budgetMiB: number) {
    const { rating } = context.settings;
    this.#context = context;
    this.#scale = new Scale(rating.min, rating.max);
    this.world = WritableWorld.create(Arena.create(budgetMiB * 2 ** 20, setting), randomInt(2 ** 32));
  }

  /** The last record that is learned. */
  get reached(): number {
    return this.#reached;
  }

  /** Predictions of the models for the rating that was taught last. */
  get predictions(): Float64Array {
    return (this.#teacher as Teacher).predictions;
  }

  /** The host of models whose tables are in `arena`. */
  hostIn(arena: Arena): ModelHost & { readonly world: WritableWorld } {
    return { arena, world: this.world, scale: this.#scale, peers: this.#peers };
  }

  /** The same for what learns what is live. */
  liveHostIn(arena: Arena): LiveHost {
    return { arena, scale: this.#scale, kernels: loadHostKernels(arena.memory) };
  }

  /** How models are taught: as they are live, but that one which fails fails the job. */
  get options(): TeacherOptions {
    const { rankEvery } = this.#context.settings.evaluation;
    const onQuarantine = ({ name }: WritableModel, why: unknown) => {
      throw new AccreteError('MODEL_FAILED', `Model ${name} failed while it learned the journal: ${why}`);
    };
    return { rankEvery, onQuarantine };
  }

  /** A new world becomes that of a checkpoint. Throws STORE_DAMAGED, MEMORY_FULL. */
  restore(folder: CheckpointFolder, manifest: Manifest): void {
    restoreWorld(folder, manifest, this.world);
    this.#reached = manifest.revision;
  }

  /** From here on these models learn, and no others; their tables are all in `arena`. */
  teach(models: readonly WritableModel[], arena: Arena): void {
    this.release();
    this.#teacher = new Teacher(this.hostIn(arena), loadHostKernels(arena.memory), models, this.options);
    this.#follower = new Follower(this.world, this.#teacher, () => {}, { remembersRequests: false });
  }

  /** Learns up to record `last`; `onRecord` is called before each. */
  follow(last: number, onRecord: () => void = () => {}): void {
    const { journal, meter } = this.#context;
    for (const { revision, record } of journal.read(this.#reached + 1, last)) {
      onRecord();
      this.#follower?.follow(revision, record);
      this.#reached = revision;
      this.onReached(revision);
      meter.add();
    }
  }

  /** Takes back all that a user rated and did until now; false when there is no such user. */
  forget(user: number): boolean {
    if (!this.world.users.isSomebody(user)) return false;
    this.#teacher?.forget(user, this.#reached);
    return true;
  }

  /**
   * Those are forgotten whom the file of a version knows no more, as of the same record, while the journal may still have
   * them: or what they take back later would be taken back from the version twice.
   */
  forgetAsIn({ revision, forgettings = [] }: Manifest): void {
    const { journal } = this.#context;
    for (const user of findForgotten(forgettings, () => journal.read(revision + 1))) this.forget(user);
  }

  /** Somebody else has taught the world, and the models of this job, up to a record. */
  skipTo(revision: number): void {
    this.#reached = revision;
  }

  /** Gives back what teaching took of a memory that is not its own. */
  release(): void {
    this.#teacher?.release();
  }
}
