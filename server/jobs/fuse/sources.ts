import { AccreteError } from '../../errors.ts';
import { fusionOf, readBlocks } from '../../models/fusion.ts';
import type { ModelDescriptor } from '../../models/model.ts';
import { loadPlugin } from '../../models/plugins.ts';
import { bringVersion } from '../candidate.ts';
import type { JobContext } from '../job-context.ts';
import { Past } from '../past.ts';
import { type VersionKey, VersionOrigins } from '../version-origins.ts';
import type { Member } from './strategies/members.ts';

/** A version of a model of this server that is fused with another one. */
export interface SourceTask {
  /** The field of the request that names it. */
  readonly field: string;
  readonly key: VersionKey;
  /** As its tables are declared; where they are does not matter. */
  readonly descriptor: ModelDescriptor;
}

/** What a source had learned at record `start`. Throws WINDOW_SEEN, VERSION_NOT_FOUND, MODEL_FAILED, MEMORY_FULL. */
export async function bringSource(
  { field, key, descriptor }: SourceTask,
  start: number,
  context: JobContext,
): Promise<Member> {
  const plugin = await loadPlugin(descriptor.plugin);
  requireUnseen(field, key, { plugin, spec: descriptor }, start, context);
  // A memory of its own, which is given back before the next one is made.
  const past = new Past(context, context.config.jobs.memoryMiB);
  const model = await bringVersion(key, descriptor, start, past, context);
  context.meter.begin('replay', 'records', start - past.reached, undefined);
  past.follow(start);
  model.grow();
  const fusion = fusionOf(plugin, descriptor.config);
  if (typeof fusion === 'string') throw new TypeError(`${key.name} is not fused: ${fusion}`);
  return { name: `${key.name}@${key.version}`, field, isForeign: false, blocks: readBlocks(model, fusion.columns) };
}

/** A source that cannot be had as of a record before the window holds something of what the candidate is judged by. */
function requireUnseen(
  field: string,
  key: VersionKey,
  model: ConstructorParameters<typeof VersionOrigins>[1],
  start: number,
  context: JobContext,
): void {
  const origins = new VersionOrigins(key, model, context);
  try {
    const earliest = origins.earliest();
    if (earliest !== undefined && earliest <= start) return;
    const [name, version] = [key.name, key.version];
    const how = earliest === undefined ? 'no file has it' : `it can be had as of record ${earliest} at the earliest`;
    const message =
      `${field}: version ${version} of model ${name} holds something of the window that the candidate is judged by, which ` +
      `begins after record ${start}: ${how}; wait for more ratings, or judge by fewer (guard.window_events)`;
    throw new AccreteError('WINDOW_SEEN', message, { metadata: { model: name, version, reached: String(start) } });
  } finally {
    origins.close();
  }
}
