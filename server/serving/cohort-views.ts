import { NO_ROW } from '../../plugins/contract/index.ts';
import type { Arena } from '../memory/arena.ts';
import { type Ids, TextKey } from '../memory/ids.ts';
import type { HostKernels } from '../memory/kernels/host-kernels.ts';
import type { KindMeaning } from '../memory/kinds.ts';
import type { Reader } from '../memory/readers.ts';
import type { Revisions } from '../memory/revisions.ts';
import type { Scale } from '../memory/scale.ts';
import { World } from '../memory/world.ts';
import type { CohortDescriptor } from '../models/cohort-descriptor.ts';
import { Model } from '../models/model.ts';
import { loadPlugin } from '../models/plugins.ts';
import type { Experiment } from '../store/experiment.ts';
import { cohortKey, cohortsOf } from '../teaching/cohort-choices.ts';
import type { Assignment } from './experiments.ts';
import { FilterMasks } from './filter/masks.ts';
import { ModelDirectory } from './model-directory.ts';
import { type Recommendations, Recommender, type RecommendQuery } from './recommender.ts';

/** The worlds beside the main one, as this thread reads them: each has a recommender of its own. */

export interface CohortViewsParts {
  readonly arena: Arena;
  readonly kernels: HostKernels;
  readonly reader: Reader;
  readonly revisions: Revisions;
  readonly scale: Scale;
  /** The main one. */
  readonly world: World;
  readonly kinds: Readonly<Record<string, KindMeaning>>;
  readonly countMax: number;
  /** Has the learner give back what these held, which nobody reads any more. */
  readonly retire: (keys: readonly string[]) => Promise<void>;
}

/** One of them, which answers for its users. */
export class CohortView {
  readonly key: string;
  /** The models of the cohort; its own is the default. */
  readonly directory: ModelDirectory;
  readonly #world: World;
  readonly #main: World;
  readonly #recommender: Recommender;
  readonly #masks: FilterMasks;
  readonly #key = new TextKey();

  constructor(
    key: string,
    world: World,
    main: World,
    directory: ModelDirectory,
    recommender: Recommender,
    masks: FilterMasks,
  ) {
    this.key = key;
    this.directory = directory;
    this.#world = world;
    this.#main = main;
    this.#recommender = recommender;
    this.#masks = masks;
  }

  /** As `Recommender.recommend`, in this world; the rows that it tells of are those of the main one. */
  recommend(query: RecommendQuery): Recommendations {
    const { userRow, rows, ...found } = this.#recommender.recommend(query);
    const [world, main] = [this.#world, this.#main];
    return {
      ...found,
      userRow: this.#same(world.users, userRow, main.users),
      rows: rows.map((row) => this.#same(world.items, row, main.items)),
    };
  }

  /** Gives its scratch memory back; it answers no more. */
  release(): void {
    for (const { model } of this.directory.entries) model?.release();
    for (const part of [this.#recommender, this.#masks]) part.release();
  }

  #same(from: Ids, row: number, to: Ids): number {
    if (row === NO_ROW || !this.#key.set(from.text(row))) return NO_ROW;
    const found = to.find(this.#key);
    return found < 0 ? NO_ROW : found;
  }
}

export class CohortViews {
  readonly #parts: CohortViewsParts;
  readonly #views = new Map<string, CohortView>();

  constructor(parts: CohortViewsParts) {
    this.#parts = parts;
  }

  /** The world of an arm that answers; undefined: it has none of its own. */
  find(assignment: Pick<Assignment, 'experiment' | 'index'> | undefined): CohortView | undefined {
    return assignment && this.#views.get(cohortKey(assignment.experiment, assignment.index));
  }

  /** From here on these are there too. */
  async add(descriptors: readonly CohortDescriptor[]): Promise<void> {
    const missing = descriptors.filter(({ key }) => !this.#views.has(key));
    for (const view of await Promise.all(missing.map((each) => this.#make(each)))) this.#views.set(view.key, view);
  }

  /** From here on there are only those of these experiments. What others held is given back. */
  async keep(experiments: Iterable<Experiment>): Promise<void> {
    const keys = new Set(cohortsOf(experiments).map(({ key }) => key));
    const gone = [...this.#views.values()].filter(({ key }) => !keys.has(key));
    for (const view of gone) {
      this.#views.delete(view.key);
      view.release();
    }
    if (gone.length > 0) await this.#parts.retire(gone.map(({ key }) => key));
  }

  async #make(descriptor: CohortDescriptor): Promise<CohortView> {
    const { kinds, retire: _, ...parts } = this.#parts;
    const { arena, kernels, scale } = parts;
    const world = new World(arena, descriptor.world);
    world.kinds.configure(kinds);
    const directory = new ModelDirectory();
    const host = { arena, world, scale, peers: directory.peers };
    for (const model of descriptor.models) {
      const plugin = await loadPlugin(model.plugin);
      const { name, plugin: specifier, config } = model;
      const choice = { name, plugin: specifier, config };
      directory.set({ choice, state: 'AVAILABLE', reason: '', model: new Model(host, plugin, model) });
    }
    directory.defaultName = descriptor.models[0]?.name ?? '';
    const masks = new FilterMasks(arena, kernels, world.itemFeatures);
    const recommender = new Recommender({ ...parts, world, directory, masks });
    return new CohortView(descriptor.key, world, this.#parts.world, directory, recommender, masks);
  }
}
