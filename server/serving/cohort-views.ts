import type { Arena } from '../memory/arena.ts';
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
import { cohortsOf } from '../teaching/cohort-choices.ts';
import { FilterMasks } from './filter/masks.ts';
import { ModelDirectory } from './model-directory.ts';
import { Recommender } from './recommender.ts';

/** The worlds beside the main one, as this thread reads them: each has a recommender of its own. */

export interface CohortViewsParts {
  readonly arena: Arena;
  readonly kernels: HostKernels;
  readonly reader: Reader;
  readonly revisions: Revisions;
  readonly scale: Scale;
  readonly kinds: Readonly<Record<string, KindMeaning>>;
  readonly countMax: number;
  /** Has the learner give back what those held that nobody reads any more. */
  readonly retire: () => Promise<void>;
}

export interface CohortView {
  readonly world: World;
  /** The models of the cohort; its own is the default. */
  readonly directory: ModelDirectory;
  readonly recommender: Recommender;
}

interface Held extends CohortView {
  readonly descriptor: CohortDescriptor;
  readonly masks: FilterMasks;
}

export class CohortViews {
  readonly #parts: CohortViewsParts;
  readonly #views = new Map<string, Held>();

  constructor(parts: CohortViewsParts) {
    this.#parts = parts;
  }

  /** Undefined: there is no such world, or not yet. */
  find(key: string): CohortView | undefined {
    return this.#views.get(key);
  }

  /** From here on there are those of these experiments, and `made` are new. What others held is given back. */
  async settle(experiments: Iterable<Experiment>, made: readonly CohortDescriptor[]): Promise<void> {
    const missing = made.filter(({ key }) => !this.#views.has(key));
    for (const view of await Promise.all(missing.map((each) => this.#make(each))))
      this.#views.set(view.descriptor.key, view);
    const keys = new Set(cohortsOf(experiments).map(({ key }) => key));
    const gone = [...this.#views].filter(([key]) => !keys.has(key));
    for (const [key, view] of gone) {
      this.#views.delete(key);
      for (const { model } of view.directory.entries) model?.release();
      for (const part of [view.recommender, view.masks]) part.release();
    }
    if (gone.length > 0) await this.#parts.retire();
  }

  async #make(descriptor: CohortDescriptor): Promise<Held> {
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
    return { descriptor, world, directory, masks, recommender };
  }
}
