import { join } from 'node:path';
import { Container, type ServiceIdentifier } from 'inversify';
import type { Config } from '../config/schema.ts';
import { Arena } from '../memory/arena.ts';
import { Counters } from '../memory/counters.ts';
import { type HostKernels, loadHostKernels } from '../memory/kernels/host-kernels.ts';
import { Revisions } from '../memory/revisions.ts';
import type { Scale } from '../memory/scale.ts';

/**
 * How the parts fit together, in each sort of thread: a file of this folder each. The parts themselves take plain
 * arguments; only this folder knows the container.
 */

export const token = <T>(name: string): ServiceIdentifier<T> => Symbol(name);

export const CONFIG = token<Config>('Config');
export const ARENA = token<Arena>('Arena');
export const COUNTERS = token<Counters>('Counters');
export const REVISIONS = token<Revisions>('Revisions');
export const KERNELS = token<HostKernels>('HostKernels');
/** The journal decides it: bound where that is known. */
export const SCALE = token<Scale>('Scale');

/** What all sorts of threads have, over the one shared memory. */
export function composeShared(config: Config, arena: Arena): Container {
  const container = new Container({ defaultScope: 'Singleton' });
  container.bind(CONFIG).toConstantValue(config);
  container.bind(ARENA).toConstantValue(arena);
  container.bind(COUNTERS).toDynamicValue(() => new Counters(arena));
  container.bind(REVISIONS).toDynamicValue(() => new Revisions(arena));
  container.bind(KERNELS).toDynamicValue(() => loadHostKernels(arena.memory));
  return container;
}

/** What is bound only once it can begin; undefined: it has not. */
export function findBound<Service>(container: Container, token: ServiceIdentifier<Service>): Service | undefined {
  return container.isBound(token) ? container.get(token) : undefined;
}

/** A main arena of the configured budget: for the thread that begins. */
export function reserveArena({ memory }: Config): Arena {
  return Arena.create(memory.budgetMiB * 2 ** 20);
}

/** Where checkpoints are, in the data folder. */
export function stateFolder(data: string): string {
  return join(data, 'state');
}

/** Where the journal is, in the data folder. */
export function journalFolder(data: string): string {
  return join(data, 'journal');
}
