import type { Plugin } from '../../plugins/contract/index.ts';
import { RateRequest } from '../../proto/gen/accrete/v1/recommender.ts';
import { examineWindow, type WindowAnswers, type WindowRecord } from '../../server/jobs/fuse/examine-window.ts';
import { Arena } from '../../server/memory/arena.ts';
import { loadHostKernels } from '../../server/memory/kernels/host-kernels.ts';
import { Scale } from '../../server/memory/scale.ts';
import { Table, type TableDescriptor } from '../../server/memory/table.ts';
import { WritableWorld } from '../../server/memory/world.ts';
import { Peers } from '../../server/models/peers.ts';
import { WritableModel } from '../../server/models/writable-model.ts';
import { encodeRecord } from '../../server/store/record.ts';
import { Follower } from '../../server/teaching/follower.ts';
import { Teacher } from '../../server/teaching/teacher.ts';
import type { Rating } from '../laws/lab.ts';

/** A world with models, brought by records to where a window begins: no wire, no disk, no threads. */

const BATCH = 50;

/** Ratings as records of the journal, from revision 1 on. */
export function recordsOf(ratings: readonly Rating[]): WindowRecord[] {
  return Array.from({ length: Math.ceil(ratings.length / BATCH) }, (_, n) => {
    const batch = ratings.slice(BATCH * n, BATCH * (n + 1)).map(({ user, item, value, time, retract }) => ({
      userId: user,
      itemId: item,
      value,
      retract: retract ?? false,
      eventTime: time === undefined ? undefined : new Date(1000 * time),
    }));
    const payload = RateRequest.encode(RateRequest.fromPartial({ ratings: batch })).finish();
    return { revision: n + 1, record: encodeRecord({ type: 'ratings', receivedAtMs: 0, namespace: '', payload }) };
  });
}

export class Stage {
  readonly arena: Arena;
  readonly kernels: ReturnType<typeof loadHostKernels>;
  readonly world: WritableWorld;
  readonly scale: Scale;
  readonly peers = new Peers();
  reached = 0;

  constructor(scale = new Scale(1, 5), budgetMiB = 48) {
    this.arena = Arena.create(budgetMiB * 2 ** 20);
    this.kernels = loadHostKernels(this.arena.memory);
    this.world = WritableWorld.create(this.arena, 1);
    this.scale = scale;
  }

  model(plugin: Plugin, settings: object = {}): WritableModel {
    const config = plugin.config.parse(settings);
    const model = WritableModel.create(this, plugin, { namespace: '', name: 'mf', plugin: 'mf', config }, 10);
    model.grow();
    return model;
  }

  /** Another model with all that `from` has learned, of a plugin and settings with the same tables. */
  copy(from: WritableModel, plugin: Plugin, settings: object = {}): WritableModel {
    const copy = this.model(plugin, settings);
    const [source, target] = [from, copy].map((model) => this.#tables(model));
    for (const [n, table] of target.entries()) {
      table.grow(source[n].rows);
      const [column] = Object.keys(table.columns).sort((a, b) => table.column(a)(0) - table.column(b)(0));
      const [read, write] = [source[n].column(column), table.column(column)];
      for (let row = 0; row < table.rows; row++)
        this.arena.u8.copyWithin(write(row), read(row), read(row) + table.stride);
    }
    return copy;
  }

  learn(models: readonly WritableModel[], records: readonly WindowRecord[], rankEvery = 0): void {
    const onQuarantine = (_: WritableModel, why: unknown) => {
      throw why;
    };
    const teacher = new Teacher(this, this.kernels, models, { rankEvery, onQuarantine });
    const follower = new Follower(this.world, teacher, () => {}, { remembersRequests: false });
    for (const { revision, record } of records) {
      follower.follow(revision, record);
      this.reached = revision;
    }
    teacher.release();
  }

  examine(
    live: WritableModel,
    candidate: WritableModel,
    records: Iterable<WindowRecord>,
    { seenTo = this.reached, rankEvery = 0 } = {},
  ): WindowAnswers {
    const { kernels, reached } = this;
    const contestants = { live: { model: live, seenTo: reached }, candidate: { model: candidate, seenTo } };
    const steps = examineWindow({ host: this, kernels, reached, rankEvery, ...contestants }, records);
    for (;;) {
      const { done, value } = steps.next();
      if (done) return value;
    }
  }

  #tables({ descriptor: { tables, prequential } }: WritableModel): Table[] {
    const { totals, errors, ranks } = prequential;
    const descriptors: TableDescriptor[] = [...Object.values(tables), totals, errors, ranks];
    return descriptors.map((descriptor) => new Table(this.arena, descriptor));
  }
}
