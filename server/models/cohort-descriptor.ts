import type { WorldDescriptor } from '../memory/world.ts';
import type { ModelDescriptor } from './model.ts';

/** What another thread needs to attach to a world beside the main one, and its models. */
export interface CohortDescriptor {
  /** What tells it from others. */
  readonly key: string;
  readonly world: WorldDescriptor;
  /** The one that answers comes first. */
  readonly models: readonly ModelDescriptor[];
}
