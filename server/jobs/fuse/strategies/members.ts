import { type AccreteError, invalidField } from '../../../errors.ts';
import { type Block, type Blocks, emptyBlock, type Meanings, type Numbers } from '../../../models/fusion.ts';

/** A model among those that are fused: all blocks of all members have the same rows. */
export interface Member {
  /** As messages name it. */
  readonly name: string;
  /** The field of the request that named it. */
  readonly field: string;
  /** It learned other ratings than the models of this server, which all learn the same. */
  readonly isForeign: boolean;
  readonly blocks: Blocks;
  /** Of a file: rows of users and items that this server does not know, which are left out. */
  readonly unknownRows?: number;
}

/** Models that are to become one; the first one gets what comes of it. */
export interface Members {
  readonly meanings: Meanings;
  readonly all: readonly [Member, ...Member[]];
}

export type Diagnostics = Readonly<Record<string, number>>;

/** A column of factors. */
export interface FactorColumn {
  readonly name: string;
  readonly side: 'left' | 'right';
  readonly weight: string;
}

/** Spaces of factors, with their columns in the order of their declaration. */
export function spacesOf(meanings: Meanings): Map<string, FactorColumn[]> {
  const spaces = new Map<string, FactorColumn[]>();
  for (const [name, meaning] of Object.entries(meanings)) {
    if (meaning.as !== 'factors') continue;
    const { space, side, weight } = meaning;
    spaces.set(space, [...(spaces.get(space) ?? []), { name, side, weight }]);
  }
  return spaces;
}

export function requireBlock(member: Member, name: string): Block {
  const block = member.blocks.get(name);
  if (!block) throw new TypeError(`${member.name} has no ${name}`);
  return block;
}

export const weightsOf = (member: Member, weight: string): Numbers => requireBlock(member, weight).values;

/** Whether a member has the factors of a space of these columns. */
export const knows = ({ blocks }: Member, [column]: readonly FactorColumn[]): boolean => blocks.has(column.name);

/** How many factors a member has in a space of these columns. */
export function rankOf(member: Member, [column]: readonly FactorColumn[]): number {
  return requireBlock(member, column.name).width;
}

/** Blocks with so many rows; those beyond the rows that there are hold zeros. */
export function withRows(blocks: Blocks, rowsOf: (column: string) => number): Blocks {
  return new Map(
    [...blocks].map(([name, block]) => {
      const rows = rowsOf(name);
      if (rows === block.rows) return [name, block];
      const grown = emptyBlock(block.type, rows, block.width);
      grown.values.set(block.values.subarray(0, grown.values.length));
      return [name, grown];
    }),
  );
}

/** What is wrong with a source, in words that continue its name. */
export function refuseSource({ field, name }: Pick<Member, 'field' | 'name'>, fault: string): AccreteError {
  return invalidField(field, `(${name}) ${fault}`);
}
