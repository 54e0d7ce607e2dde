import { TextKey } from '../memory/ids.ts';
import type { WritableWorld } from '../memory/world.ts';
import type { FeatureEntry } from '../store/feature-codec.ts';
import type { Teacher } from './teacher.ts';

/** Writes down what callers tell of items and users. Whoever is told of has a row from then on, in every model too. */
export class FeatureWriter {
  readonly #world: WritableWorld;
  readonly #teacher: Teacher;
  readonly #key = new TextKey();

  constructor(world: WritableWorld, teacher: Teacher) {
    this.#world = world;
    this.#teacher = teacher;
  }

  writeItems(entries: readonly FeatureEntry[]): void {
    this.#write(entries, 'items', 'itemFeatures');
  }

  writeUsers(entries: readonly FeatureEntry[]): void {
    this.#write(entries, 'users', 'userFeatures');
  }

  /** Items that have no row are passed over. */
  deleteItems(ids: readonly string[]): void {
    const { items, itemFeatures, reclaimer } = this.#world;
    for (const id of ids) {
      const row = this.#key.set(id) ? items.find(this.#key) : -1;
      if (row >= 0 && !itemFeatures.isDeleted(row)) itemFeatures.remove(row, reclaimer);
    }
  }

  #write(entries: readonly FeatureEntry[], ids: 'items' | 'users', features: 'itemFeatures' | 'userFeatures'): void {
    const world = this.#world;
    for (const { id, merge } of entries) {
      if (id === '') {
        // Someone who is forgotten was told of here for the first time.
        world[ids].addNobody();
        continue;
      }
      this.#key.set(id);
      const row = world[ids].obtain(this.#key, world.reclaimer);
      world[features].write(row, merge(world[features].message(row)), world.reclaimer);
    }
    this.#teacher.grow();
  }
}
