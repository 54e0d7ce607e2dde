import { membersOf } from '../../models/blend/blend.ts';
import { type BlendConfig, tableOf } from '../../models/blend/members.ts';
import { type ModelDescriptor, stateTablesOf } from '../../models/model.ts';
import { loadPlugin } from '../../models/plugins.ts';
import { makeTables, WritableModel } from '../../models/writable-model.ts';
import type { Meter } from '../meter.ts';
import type { Past } from '../past.ts';

/**
 * A model whose members are the one that serves, first, and others: with all that they had learned, in tables of its own, where
 * they go on learning, whatever becomes of the others. Its gate has learned nothing yet. Of a model that is a blend already its
 * first member goes in.
 */
export async function blendModels(
  live: WritableModel,
  others: readonly WritableModel[],
  past: Past,
  descriptor: ModelDescriptor,
  meter: Meter,
) {
  const members = [live, ...others];
  meter.begin('fuse', 'models', members.length, undefined);
  const { arena } = past.world;
  const plugin = await loadPlugin(descriptor.plugin);
  const made = makeTables(arena, plugin, descriptor, live.descriptor.prequential.window, descriptor.version);
  const into = stateTablesOf(arena, made);
  const own = stateTablesOf(live.arena, live.descriptor);
  for (const name of Object.keys(own)) if (name.startsWith('prequential')) into[name].copy(own[name]);
  for (const [n, member] of members.entries()) {
    // All have a row for everybody who was there then.
    member.grow();
    const from = member.stateTables();
    const [first] = membersOf(member.plugin) ?? [];
    const names = Object.keys((first ?? member.plugin).tables(ownConfig(member.descriptor, first !== undefined)));
    for (const name of names) into[tableOf(n, name)].copy(from[first ? tableOf(0, name) : name]);
    meter.add();
  }
  const candidate = WritableModel.attach(past.hostIn(arena), plugin, made);
  return { candidate, diagnostics: { fused_models: members.length } };
}

function ownConfig({ config }: ModelDescriptor, isBlend: boolean) {
  return isBlend ? (config as BlendConfig).members[0] : config;
}
