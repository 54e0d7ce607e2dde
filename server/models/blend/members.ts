import {
  type History,
  type Input,
  learnsEvents,
  type Memory,
  type Plugin,
  type ScoreContext,
  type TableSpecs,
  type WritableAddress,
} from '../../../plugins/contract/index.ts';
import type { Arena } from '../../memory/arena.ts';
import { NO_EVENTS } from '../../memory/events.ts';
import { loadKernels } from '../../memory/kernels/host-kernels.ts';

/** The members of a blend: each has its own tables among those of the blend, and knows nothing of the others. */

export interface BlendConfig {
  readonly seed: number;
  readonly forgetting: number;
  /** The settings of each. */
  readonly members: readonly { readonly seed: number }[];
}

/** A table of member `n`, as the blend calls it. */
export function tableOf(n: number, name: string): string {
  return `m${n}${name[0].toUpperCase()}${name.slice(1)}`;
}

/** The tables of all members. */
export function memberTables(plugins: readonly Plugin[], { members }: BlendConfig): TableSpecs {
  return Object.fromEntries(
    plugins.flatMap((plugin, n) =>
      Object.entries(plugin.tables(members[n])).map(([name, spec]) => [tableOf(n, name), spec]),
    ),
  );
}

/** What the host gives a blend, whichever of its sides. */
interface Given {
  readonly config: { readonly seed: number };
  readonly tables: Readonly<Record<string, unknown>>;
  readonly memory: Memory;
  readonly history: History;
  readonly events: ScoreContext<never, TableSpecs, unknown>['events'];
}

/** What is common to all contexts of member `n`. */
function contextOf<Context extends Given>(plugin: Plugin, n: number, given: Context) {
  const config = (given.config as BlendConfig).members[n];
  const names = Object.keys(plugin.tables(config));
  return {
    ...given,
    config,
    tables: Object.fromEntries(names.map((name) => [name, given.tables[tableOf(n, name)]])) as never,
    // The memory of a model is an arena.
    kernels: plugin.kernels && loadKernels(plugin.kernels.url, (given.memory as Arena).memory),
    events: learnsEvents(plugin, config) ? given.events : NO_EVENTS,
    inputs: [] as readonly Input[],
  };
}

/** For a member's scorer; `given` may be the context of a learner. */
export function scoringContext<Context extends Given & { scratch(bytes: number): WritableAddress }>(
  plugin: Plugin,
  n: number,
  given: Context,
) {
  return { ...contextOf(plugin, n, given), scores: (given.memory as Arena).f32 };
}

interface Writing extends Given {
  append(pool: string): number;
  reset(table: string, row: number): void;
}

/** For what writes a member's tables. */
export function writingContext<Context extends Writing>(plugin: Plugin, n: number, given: Context) {
  return {
    ...contextOf(plugin, n, given),
    append: (pool: string) => given.append(tableOf(n, pool)),
    reset: (table: string, row: number) => given.reset(tableOf(n, table), row),
  };
}
