import type { Device } from '../../../plugins/contract/index.ts';
import { readBlocks, requireFusion, writeBlocks } from '../../models/fusion.ts';
import type { WritableModel } from '../../models/writable-model.ts';
import type { Meter } from '../meter.ts';
import type { SourceMemory } from './source-memory.ts';
import { requireFinite } from './strategies/finite.ts';
import { type Diagnostics, type Member, requireBlock, withRows } from './strategies/members.ts';
import type { FuseOptions, Joining } from './strategies/strategies.ts';

interface Means {
  readonly meter: Meter;
  readonly device: Device;
}

const PERCENT = 100;

/** Trains a candidate on all ratings that are live in its world. Throws CAPABILITY_MISSING, MEMORY_FULL, DEVICE_FULL. */
export async function refit(candidate: WritableModel, seed: number, { meter, device }: Means): Promise<Diagnostics> {
  const { interactions } = candidate.world;
  meter.begin('refit', 'percent', PERCENT, undefined);
  let told = 0;
  for await (const share of candidate.refit(seed, device)) {
    const percent = Math.floor(PERCENT * share);
    meter.add(percent - told);
    told = percent;
  }
  return { trained_ratings: interactions.count };
}

/** Makes one model of a candidate, as it is, and of sources. Throws INVALID_FIELD, MEMORY_FULL, DEVICE_FULL. */
export function joinSources(
  candidate: WritableModel,
  sourcesFor: (candidate: WritableModel) => readonly Member[],
  strategy: Joining,
  options: FuseOptions,
  means: Means & { readonly memory: SourceMemory },
): Promise<Diagnostics> {
  return means.memory.within(() => joinAll(candidate, sourcesFor, strategy, options, means));
}

async function joinAll(
  candidate: WritableModel,
  sourcesFor: (candidate: WritableModel) => readonly Member[],
  strategy: Joining,
  options: FuseOptions,
  { meter, device, memory }: Means & { readonly memory: SourceMemory },
): Promise<Diagnostics> {
  const { plugin, descriptor } = candidate;
  const { columns } = requireFusion(candidate.name, plugin, descriptor.config);
  candidate.grow();
  const sources = sourcesFor(candidate);
  meter.begin('fuse', 'models', 1 + sources.length, undefined);
  const take = (bytes: number) => memory.take(bytes);
  const own = { name: candidate.name, field: 'model', isForeign: false, blocks: readBlocks(candidate, columns, take) };
  // What comes of them, and each source once more: with all rows, and turned.
  for (const { blocks } of [own, ...sources, ...sources]) memory.takeFor(blocks);
  const others = sources.map((source) => ({
    ...source,
    blocks: withRows(source.blocks, (name) => (own.blocks.has(name) ? requireBlock(own, name).rows : 0)),
  }));
  const members = { meanings: columns, all: [own, ...others] } as const;
  const { blocks, diagnostics } = await strategy.fuse(members, options, device);
  requireFinite(members, blocks);
  writeBlocks(candidate, blocks);
  candidate.settle();
  meter.add(1 + sources.length);
  const unknown = sources.reduce((sum, { unknownRows = 0 }) => sum + unknownRows, 0);
  return { fused_models: 1 + sources.length, unknown_rows: unknown, ...diagnostics };
}
