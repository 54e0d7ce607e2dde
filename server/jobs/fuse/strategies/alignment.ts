import { type Device, SVD_MAX } from '../../../../plugins/contract/index.ts';
import type { Block, Meanings } from '../../../models/fusion.ts';
import {
  type Diagnostics,
  type FactorColumn,
  knows,
  type Member,
  type Members,
  rankOf,
  refuseSource,
  requireBlock,
  spacesOf,
  weightsOf,
} from './members.ts';
import { type Alignment, align, type Pair, turn } from './procrustes.ts';

/** How the bases of members lie to that of the first one. */

/** With less of the agreement that turning would bring, models have no base in common. */
const AGREEMENT_MIN = 0.5;

/** Throws INVALID_FIELD for a source that has another base than the first member, or shares too few rows with it to tell. */
export async function requireOneBase(members: Members, device: Device, force: boolean): Promise<Diagnostics> {
  const found = new Extremes();
  for (const { source, space, columns } of pairings(members)) {
    const pair = pairOf(members.all[0], source, columns);
    if (force && pair.rows < pair.k) continue;
    requireShared(pair, source, space, 'to see whether they have one base: send options.force to average all the same');
    const alignment = await alignFinite(device, pair, source, space);
    found.add(alignment);
    if (!force && alignment.agreement < AGREEMENT_MIN) throw otherBase(source, space, alignment);
  }
  return found.diagnostics;
}

/** The members, each turned onto the first. */
export async function alignAll(
  members: Members,
  device: Device,
): Promise<{ members: Members; diagnostics: Diagnostics }> {
  const found = new Extremes();
  const turned = new Map<Member, Map<string, Block>>();
  for (const { source, space, columns } of pairings(members)) {
    const pair = pairOf(members.all[0], source, columns);
    requireShared(pair, source, space, 'to align them');
    const alignment = await alignFinite(device, pair, source, space);
    found.add(alignment);
    const blocks = turned.get(source) ?? new Map(source.blocks);
    for (const { name } of columns) {
      const block = requireBlock(source, name);
      const values = await turn(device, block.values as Float32Array, block.width, alignment.rotation);
      blocks.set(name, { ...block, values });
    }
    turned.set(source, blocks);
  }
  const [first, ...sources] = members.all;
  const all = [
    first,
    ...sources.map((source) => ({ ...source, blocks: turned.get(source) ?? source.blocks })),
  ] as const;
  return { members: { ...members, all }, diagnostics: found.diagnostics };
}

function* pairings({ meanings, all: [, ...sources] }: Members) {
  for (const source of sources) {
    for (const [space, columns] of spacesOf(meanings)) if (knows(source, columns)) yield { source, space, columns };
  }
}

/** The rows that both know, of all columns of a space. */
function pairOf(first: Member, source: Member, columns: readonly FactorColumn[]): Pair {
  const k = rankOf(first, columns);
  if (k > SVD_MAX) throw refuseSource(source, `has ${k} factors, and ${SVD_MAX} are the most that can be aligned`);
  const shared = columns.map(({ name, weight }) => {
    const [ofFirst, ofSource] = [weightsOf(first, weight), weightsOf(source, weight)];
    const rows: number[] = [];
    for (let row = 0; row < requireBlock(first, name).rows; row++)
      if (ofFirst[row] > 0 && ofSource[row] > 0) rows.push(row);
    return { name, rows };
  });
  const rows = shared.reduce((sum, each) => sum + each.rows.length, 0);
  const stack = (member: Member) => {
    const stacked = new Float32Array(rows * k);
    let at = 0;
    for (const { name, rows } of shared) {
      const { values } = requireBlock(member, name);
      for (const row of rows) {
        stacked.set(values.subarray(row * k, (row + 1) * k), at);
        at += k;
      }
    }
    return stacked;
  };
  return { target: stack(first), source: stack(source), rows, k };
}

function requireShared({ rows, k }: Pair, source: Member, space: string, why: string): void {
  if (rows >= k) return;
  throw refuseSource(
    source,
    `shares ${rows} rows of ${space} with the model, and it takes ${k}, the number of factors, ${why}`,
  );
}

/** Of numbers whose squares are too large neither a base nor a turn can be had. */
async function alignFinite(device: Device, pair: Pair, source: Member, space: string): Promise<Alignment> {
  const alignment = await align(device, pair);
  if (Number.isFinite(alignment.agreement + alignment.unaligned)) return alignment;
  throw refuseSource(source, `has factors of ${space} that are too large to be compared with the model's`);
}

function otherBase(source: Member, space: string, { residual, unaligned, agreement }: Alignment) {
  const percent = Math.round(100 * agreement);
  return refuseSource(
    source,
    `has another base than the model: of ${space} ${percent}% of the agreement is there that turning would ` +
      `bring (residual ${unaligned.toFixed(3)} as it is, ${residual.toFixed(3)} aligned), so averages mean nothing: use ` +
      'FUSE_STRATEGY_PROCRUSTES, or send options.force',
  );
}

/** The worst of all sources and spaces. */
class Extremes {
  #residual = 0;
  #unaligned = 0;
  #agreement = 1;

  add({ residual, unaligned, agreement }: Alignment): void {
    this.#residual = Math.max(this.#residual, residual);
    this.#unaligned = Math.max(this.#unaligned, unaligned);
    this.#agreement = Math.min(this.#agreement, agreement);
  }

  get diagnostics(): Diagnostics {
    return { alignment_residual: this.#residual, unaligned_residual: this.#unaligned, agreement: this.#agreement };
  }
}

/** Whether there is anything to align. */
export const hasFactors = (meanings: Meanings): boolean => spacesOf(meanings).size > 0;
