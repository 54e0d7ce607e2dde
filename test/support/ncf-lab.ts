import assert from 'node:assert/strict';
import { type Device, NO_ROW, type Plugin } from '../../plugins/contract/index.ts';
import plugin from '../../plugins/ncf/plugin.ts';
import type { Network } from '../../plugins/ncf/reference.ts';
import { layersOf } from '../../plugins/ncf/shape.ts';
import { Table } from '../../server/memory/table.ts';
import { Lab, type Rating } from '../laws/lab.ts';

/** What the tests of `ncf` share. */

export type Settings = Parameters<typeof plugin.config.parse>[0] & object;

/** A model that has learned nothing of the ratings `before`; of those that are `gone`, their users and items have rows. */
export function createLab(settings: Settings, before: readonly Rating[] = [], gone: readonly Rating[] = []): Lab {
  const forgotten = [...gone, ...gone.map((rating) => ({ ...rating, retract: true }))];
  return new Lab(plugin as unknown as Plugin, plugin.config.parse(settings), { before: [...forgotten, ...before] });
}

export async function refit(lab: Lab, seed = 1, device?: Device): Promise<Lab> {
  for await (const _ of lab.model.refit(seed, device));
  return lab;
}

/** A column of a row, to read and to write; `id` means nothing for the table of the model. */
export function column(lab: Lab, table: 'users' | 'items' | 'model', id: string, name: string): Float32Array {
  const descriptor = lab.model.descriptor.tables[table];
  const row = { users: lab.userRow(id), items: lab.itemRow(id), model: 0 }[table];
  assert.notEqual(row, NO_ROW);
  const { type, width } = descriptor.columns[name];
  const at = new Table(lab.arena, descriptor).column(name)(row) >>> (type === 'f64' ? 3 : 2);
  const view = { f32: lab.arena.f32, f64: lab.arena.f64, u32: lab.arena.u32 }[type];
  return view.subarray(at, at + width) as Float32Array;
}

/** The network of a lab as it is now, in doubles. */
export function networkOf(lab: Lab): Network {
  const { gmf, tower } = plugin.config.parse(lab.model.descriptor.config);
  const read = (name: string) => Float64Array.from(column(lab, 'model', '', name));
  const adapter = (name: string) => (tower.rank === 0 ? new Float64Array() : read(name));
  return {
    gmf: gmf.k,
    products: read('products'),
    numbers: read('numbers'),
    layers: layersOf(tower).map((_, n) => ({
      w: read(`w${n}`),
      b: read(`b${n}`),
      up: adapter(`up${n}`),
      down: adapter(`down${n}`),
    })),
  };
}

export function near(actual: number, expected: number, what = '', tolerance = 1e-6): void {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${what}: ${actual} is not ${expected}`);
}
