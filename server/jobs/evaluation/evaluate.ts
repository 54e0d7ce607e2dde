import { type Device, NO_ROW } from '../../../plugins/contract/index.ts';
import { AccreteError } from '../../errors.ts';
import { Arena } from '../../memory/arena.ts';
import { loadHostKernels } from '../../memory/kernels/host-kernels.ts';
import { Scale } from '../../memory/scale.ts';
import { layOut } from '../../memory/table.ts';
import type { WritableWorld } from '../../memory/world.ts';
import type { ModelSpec } from '../../models/model-spec.ts';
import { Peers } from '../../models/peers.ts';
import { loadPlugin, type ResolvedModel } from '../../models/plugins.ts';
import { WritableModel } from '../../models/writable-model.ts';
import { revisionGone } from '../../store/failure.ts';
import type { Lesson } from '../../teaching/lessons.ts';
import type { JobContext } from '../job-context.ts';
import { scoreInBulk } from './bulk-scores.ts';
import { Catalogue } from './catalogue.ts';
import { type LearningCurve, LearningCurves } from './curves.ts';
import { Examiner } from './examiner.ts';
import { findMeasure } from './measures.ts';
import { Negatives } from './negatives.ts';
import { type Answers, type Lists, type Observations, userStarts } from './observations.ts';
import { emptyWorld, type Pupils, type Replay, replay } from './replay.ts';
import { type Difference, type Figure, type Findings, type Gap, report } from './report.ts';
import { type Holdout, holdOut, type Split } from './split.ts';

/** HOLDOUT and RANKING_SAMPLED: models that learn a part of the ratings in a replay, and are measured on the rest. */

export interface EvaluationTask {
  /** Records; without `from` the oldest that is held. */
  readonly from: number | undefined;
  readonly to: number;
  /** Made anew from their plugins and configurations. The first one is what the others are compared with. */
  readonly models: readonly ModelSpec[];
  /** What these have as inputs, which learn beside them and are not measured. */
  readonly inputs?: readonly ModelSpec[];
  readonly split: Split;
  /** Items that each held-out one is ranked among; 0: all. */
  readonly negatives: number;
  /** Names of metrics. */
  readonly metrics: readonly string[];
  readonly seed: number;
}

export interface EvaluationResult {
  readonly figures: readonly Figure[];
  readonly differences: readonly Difference[];
  readonly gaps: readonly Gap[];
  readonly curves: readonly LearningCurve[];
  /** Live ratings that were learned, and that were held out. */
  readonly trainedCount: number;
  readonly heldOutCount: number;
  /** Models that failed, and have no figures. */
  readonly failures: readonly ModelFailure[];
}

export interface ModelFailure {
  readonly model: string;
  readonly why: string;
}

/** What was asked and answered, rating by rating. */
export interface Examination extends Findings {
  /** How the models did on what they learned, each rating predicted before it was learned. */
  readonly curves: readonly LearningCurve[];
  readonly trainedCount: number;
  readonly failures: readonly ModelFailure[];
}

export async function* evaluate(task: EvaluationTask, context: JobContext): AsyncGenerator<EvaluationResult> {
  const examination = await examine(task, context);
  const { observations, curves, trainedCount, failures } = examination;
  const figures = report(examination, task, context.meter);
  yield { ...figures, curves, trainedCount, heldOutCount: observations.count, failures };
}

/** Throws MEMORY_FULL when it takes more than `jobs.memoryMiB`. */
export async function examine(
  task: EvaluationTask,
  { config, settings, journal, meter, device }: JobContext,
): Promise<Examination> {
  const specs = [...task.models, ...(task.inputs ?? [])];
  const plugins = await Promise.all(specs.map(({ plugin }) => loadPlugin(plugin)));
  const arena = Arena.create(config.jobs.memoryMiB * 2 ** 20, 'jobs.memoryMiB');
  const { firstRevision } = journal;
  const from = task.from ?? firstRevision;
  if (from < firstRevision) throw revisionGone(from, firstRevision);
  const scale = new Scale(settings.rating.min, settings.rating.max);
  const source = {
    arena,
    kernels: loadHostKernels(arena.memory),
    scale,
    kinds: settings.kinds,
    journal,
    meter,
    from,
    to: task.to,
  };
  const learning = specs.map((spec, n) => ({ spec, plugin: plugins[n] }));
  return new Evaluation(task, learning, source, device).run();
}

/** Ratings that are examined before the time, to see how long it will take; and when. */
const REHEARSED = 32;
const REHEARSAL_AT = 0.1;

class Evaluation {
  readonly #task: EvaluationTask;
  /** The models to measure, and after them those that they have as inputs. */
  readonly #learning: readonly ResolvedModel[];
  readonly #source: Replay;
  readonly #device: Device;
  readonly #failures = new Map<string, string>();

  constructor(task: EvaluationTask, learning: readonly ResolvedModel[], source: Replay, device: Device) {
    this.#task = task;
    this.#learning = learning;
    this.#source = source;
    this.#device = device;
  }

  async run(): Promise<Examination> {
    const all = await this.#withinMemory(() => this.#readAll());
    const holdout = holdOut(all, this.#task.split);
    const { observations, trainedCount } = holdout;
    this.#requireRoom(all, observations);
    const found = await this.#withinMemory(async () => {
      const { models, world, curves, examiner: make } = await this.#train(all, holdout);
      const examiner = make();
      const answers = await this.#examineAll(models, examiner, observations);
      const own = curves.all.filter(({ model }) => !this.#failures.has(model));
      return { answers, catalogue: new Catalogue(world, examiner.items), curves: own };
    });
    const failures = Array.from(this.#failures, ([model, why]) => ({ model, why }));
    return { observations, ...found, scale: this.#source.scale, trainedCount, failures };
  }

  /** The world at the end of the range, without models. */
  #readAll(): WritableWorld {
    const { meter, journal, to } = this.#source;
    const world = emptyWorld(this.#source);
    meter.begin('read', 'records', to - journal.firstRevision + 1, undefined);
    for (const _ of replay(this.#source, { world, peers: new Peers(), models: [], onFailure: () => {} }));
    return world;
  }

  /** Learns all of the range, but nothing of what a user said of an item that is held out for them. */
  async #train(all: WritableWorld, { held, observations }: Holdout) {
    const { arena, kernels, scale, journal, meter, from, to } = this.#source;
    const world = emptyWorld(this.#source);
    const host = { arena, world, scale, peers: new Peers() };
    const learning = this.#learning.map(({ spec, plugin }) => WritableModel.create(host, plugin, spec, WINDOW));
    const models = learning.slice(0, this.#task.models.length);
    const admits = ({ user, item }: Lesson) => {
      const [u, i] = [all.users.find(user), all.items.find(item)];
      const row = u < 0 || i < 0 ? -1 : all.interactions.find(u, i);
      return row < 0 || held[row] === 0;
    };
    const { seed, negatives } = this.#task;
    const sampled = negatives > 0 ? new Negatives(seed, negatives) : undefined;
    const examiner = () =>
      new Examiner({ arena, kernels, scale, all, trained: world, observations, negatives: sampled });
    const onFailure: Pupils['onFailure'] = (model, why) => this.#failures.set(model, why);
    let revision = journal.firstRevision;
    const curves = new LearningCurves(models, to - from + 1);
    let rehearseAt = from + Math.ceil(REHEARSAL_AT * (to - from));
    meter.begin('train', 'records', to - revision + 1, undefined);
    for (const _ of replay(this.#source, { ...host, models: learning, admits, onFailure })) {
      if (revision >= from) curves.note();
      if (revision++ < rehearseAt) continue;
      rehearseAt = Number.POSITIVE_INFINITY;
      const rehearsedMs = await this.#rehearse(models, examiner(), observations.count);
      meter.laterMs = rehearsedMs * (all.items.rows / world.items.rows);
    }
    return { models, world, curves, examiner };
  }

  /** How long the examination would take as things stand, in milliseconds. */
  async #rehearse(models: readonly WritableModel[], examiner: Examiner, count: number): Promise<number> {
    const startMs = performance.now();
    const step = Math.max(1, Math.floor(count / REHEARSED));
    let asked = 0;
    for (let n = 0; n < count; n += step, asked++) {
      for (const model of models) await this.#attempt(model, () => examiner.rank(model, n));
    }
    return asked === 0 ? 0 : ((performance.now() - startMs) / asked) * count;
  }

  async #examineAll(
    models: readonly WritableModel[],
    examiner: Examiner,
    observations: Observations,
  ): Promise<Answers[]> {
    this.#source.meter.begin('measure', 'ratings', observations.count * models.length);
    const answers: Answers[] = [];
    for (const model of models) {
      const own = await this.#attempt(model, () => this.#examine(model, examiner, observations));
      if (own) answers.push(own);
    }
    return answers;
  }

  async #examine(model: WritableModel, examiner: Examiner, observations: Observations): Promise<Answers> {
    const { count } = observations;
    const predicted = model.predicts ? new Float64Array(count) : undefined;
    const rank = new Uint32Array(count);
    const candidates = new Uint32Array(count);
    const starts = userStarts(observations);
    const lists = this.#listLength === 0 ? undefined : this.#makeLists(starts.length - 1);
    let done = 0;
    let user = 0;
    const note = (known?: Float32Array) => {
      const n = done++;
      // The scores for the list are those for the first rank, too.
      if (n === starts[user]) {
        if (lists) examiner.list(model, n, placesOf(lists, user), known);
        user++;
      }
      if (predicted) predicted[n] = examiner.predict(model, n);
      ({ rank: rank[n], candidates: candidates[n] } = examiner.rank(model, n, known));
      this.#source.meter.add();
    };
    await scoreInBulk({ model, examiner, count }, this.#device, note);
    while (done < count) note();
    return { model: model.name, predicted, rank, candidates, lists };
  }

  /** A model that fails has no figures; the others go on. */
  async #attempt<T>(model: WritableModel, step: () => T | Promise<T>): Promise<T | undefined> {
    if (this.#failures.has(model.name)) return undefined;
    try {
      return await step();
    } catch (error) {
      if (error instanceof AccreteError) throw error;
      this.#failures.set(model.name, String(error));
      return undefined;
    }
  }

  /** An arena that is full is a matter of this job's own budget. */
  async #withinMemory<T>(step: () => T | Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (error) {
      const isFull = error instanceof AccreteError && error.reason === 'MEMORY_FULL';
      throw isFull ? tooLarge(this.#task, this.#source.arena, 'more memory') : error;
    }
  }

  /** In the arena, whose budget holds for them too. */
  #makeLists(users: number): Lists {
    const length = this.#listLength;
    const { arena } = this.#source;
    const address = arena.allocate(4 * users * length);
    return { length, items: arena.u32.subarray(address >>> 2, (address >>> 2) + users * length).fill(NO_ROW) };
  }

  /** Places that the metrics look at in a list; 0 when they look at none. */
  get #listLength(): number {
    const measures = this.#task.metrics.map(findMeasure).filter((measure) => measure?.of === 'list');
    return Math.max(0, ...measures.map((measure) => measure?.cutoff ?? 0));
  }

  /** What is still to come takes another world, the tables of the models, and their lists. */
  #requireRoom({ users, items }: WritableWorld, observations: Observations): void {
    const { arena } = this.#source;
    const tables = this.#learning.flatMap(({ spec, plugin }) => Object.values(plugin.tables(spec.config)));
    // How many rows pools will have shows only as they are made.
    const rows = { user: users.rows, item: items.rows, model: 1, pool: 0 };
    const bytes = tables.reduce((sum, { index, columns }) => sum + rows[index] * layOut(columns).stride, 0);
    const userCount = userStarts(observations).length - 1;
    const lists = 4 * userCount * this.#listLength * this.#task.models.length;
    const needed = 2 * arena.usedBytes + bytes + lists;
    if (needed <= arena.budgetBytes) return;
    throw tooLarge(this.#task, arena, `about ${Math.ceil(needed / 2 ** 20)} MiB`);
  }
}

/** Ratings that a sliding figure would cover; nobody reads them here. */
const WINDOW = 1;

function placesOf({ items, length }: Lists, user: number): Uint32Array {
  return items.subarray(user * length, (user + 1) * length);
}

function tooLarge({ models }: EvaluationTask, { budgetBytes }: Arena, takes: string): AccreteError {
  const memoryMiB = budgetBytes / 2 ** 20;
  const names = models.map(({ name }) => name).join(', ');
  const message =
    `An evaluation of ${names} takes ${takes}, and jobs.memoryMiB allows ${memoryMiB} MiB: raise it, name fewer models, ` +
    'or name a shorter window';
  return new AccreteError('MEMORY_FULL', message, { metadata: { memory_mib: String(memoryMiB) } });
}
