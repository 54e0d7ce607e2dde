import { join } from 'node:path';
import type { Device } from '../../plugins/contract/index.ts';
import { Item, UpsertItemsRequest } from '../../proto/gen/accrete/v1/catalog.ts';
import type { Rating } from '../../proto/gen/accrete/v1/rating.ts';
import { RateRequest } from '../../proto/gen/accrete/v1/recommender.ts';
import { parseConfig } from '../../server/config/load.ts';
import { type EvaluationTask, type Examination, examine } from '../../server/jobs/evaluation/evaluate.ts';
import { type Report, report } from '../../server/jobs/evaluation/report.ts';
import type { JobContext } from '../../server/jobs/job-context.ts';
import { Meter } from '../../server/jobs/meter.ts';
import { Arena } from '../../server/memory/arena.ts';
import { Revisions } from '../../server/memory/revisions.ts';
import { resolveModels } from '../../server/models/plugins.ts';
import { JournalReader } from '../../server/store/journal-reader.ts';
import { LmdbJournal } from '../../server/store/lmdb-journal.ts';
import { encodeRecord } from '../../server/store/record.ts';
import { DeviceMeter } from '../../server/tensor/device-meter.ts';
import { LocalDevice } from '../../server/tensor/local-device.ts';
import { TEST_CONFIG } from '../support/server.ts';
import { makeFolder, type Scope } from '../support/temporary-folder.ts';

/** Evaluations in this thread, over a journal that was written for them: no server, no wire. */

export type Asked = Partial<Omit<EvaluationTask, 'models'>> & {
  readonly models?: readonly {
    readonly name: string;
    readonly plugin: string;
    readonly config?: Readonly<Record<string, unknown>>;
  }[];
};

export class Study {
  readonly #context: JobContext;
  readonly #last: number;

  private constructor(context: JobContext, last: number) {
    this.#context = context;
    this.#last = last;
  }

  /** A journal of one record for each of `batches`, after one that describes `items`, whose rows are then in their order. */
  static async write(
    scope: Scope,
    batches: Iterable<readonly Rating[]>,
    {
      memoryMiB = 256,
      min = 1,
      max = 5,
      items = [] as readonly Partial<Item>[],
      device = new LocalDevice(2 ** 20, new DeviceMeter()) as Device,
    } = {},
  ): Promise<Study> {
    const directory = join(makeFolder(scope), 'journal');
    const journal = await LmdbJournal.open({ directory, linkBytes: 2 ** 20 });
    const frame = { receivedAtMs: 1_700_000_000_000, namespace: '' };
    const described = UpsertItemsRequest.fromPartial({ items: items.map((item) => Item.fromPartial(item)) });
    const records = Array.from(batches, (ratings) => {
      const payload = RateRequest.encode(RateRequest.fromPartial({ ratings: [...ratings] })).finish();
      return encodeRecord({ ...frame, type: 'ratings', payload });
    });
    if (items.length > 0)
      records.unshift(
        encodeRecord({ ...frame, type: 'items', payload: UpsertItemsRequest.encode(described).finish() }),
      );
    await journal.append(records);
    const last = journal.lastRevision;
    await journal.close();
    const arena = Arena.create(2 ** 20);
    const reader = new JournalReader(directory, () => last);
    const { config } = parseConfig({ jobs: { memoryMiB } });
    const meter = new Meter(() => {});
    const warn = () => {};
    const settings = { rating: { min, max }, evaluation: { rankEvery: 0, window: 100 }, kinds: {} };
    return new Study(
      {
        config,
        settings,
        journal: reader,
        meter,
        warn,
        arena,
        revisions: new Revisions(arena),
        stateFolder: '',
        device,
      },
      last,
    );
  }

  async examine(asked: Asked = {}): Promise<Examination> {
    return examine(await this.#task(asked), this.#context);
  }

  async report(asked: Asked = {}): Promise<Examination & Report> {
    const task = await this.#task(asked);
    const examination = await examine(task, this.#context);
    return { ...examination, ...report(examination, task, this.#context.meter) };
  }

  async #task({ models = TEST_CONFIG.models, ...asked }: Asked): Promise<EvaluationTask> {
    const resolved = await resolveModels(models.map((model) => ({ config: {}, ...model })));
    return {
      from: undefined,
      to: this.#last,
      models: resolved.map(({ spec }) => spec),
      split: { type: 'leaveLastOut' },
      negatives: 0,
      metrics: ['rmse', 'mae', 'hit_rate@1', 'hit_rate@10', 'ndcg@10', 'mrr'],
      seed: 1,
      ...asked,
    };
  }
}
