import type { Meaning } from '../../../../plugins/contract/index.ts';
import type { Block } from '../../../models/fusion.ts';
import { average, firstKnown } from './average.ts';
import { addUp, countEvidence } from './counts.ts';
import { fuseGaussians } from './gaussians.ts';
import { type Member, type Members, requireBlock, weightsOf } from './members.ts';

type Fused = readonly (readonly [column: string, block: Block])[];
type Rule<As extends Meaning['as']> = (
  name: string,
  meaning: Extract<Meaning, { as: As }>,
  /** Those that have the column; the first one does. */
  all: readonly Member[],
) => Fused;

const NOTHING: Fused = [];

/** What becomes of a column, by its meaning. */
const RULES: { readonly [As in Meaning['as']]: Rule<As> } = {
  mean: (name, { weight }, all) => [[name, average(weighted(name, weight, all))]],
  first: (name, { weight }, all) => [[name, firstKnown(weighted(name, weight, all))]],
  count: (name, _meaning, all) => {
    const counts = all.map((member) => ({ block: requireBlock(member, name), isForeign: member.isForeign }));
    return [[name, countEvidence(counts)]];
  },
  sum: (name, { exponent }, all) => {
    // What the models of this server have summed up, the first one has too.
    const apart = all.filter(({ isForeign }, n) => n === 0 || isForeign);
    const exponentsOf = (member: Member) => (exponent === undefined ? undefined : requireBlock(member, exponent));
    const sums = addUp(apart.map((each) => ({ block: requireBlock(each, name), exponents: exponentsOf(each) })));
    const scaled = exponent === undefined || !sums.exponents ? [] : [[exponent, sums.exponents] as const];
    return [[name, sums.block], ...scaled];
  },
  gaussian: (name, { covariance }, all) => {
    const known = all.map((each) => ({ means: requireBlock(each, name), covariances: requireBlock(each, covariance) }));
    const { means, covariances } = fuseGaussians(known);
    return [
      [name, means],
      [covariance, covariances],
    ];
  },
  // Made with what they are of.
  covariance: () => NOTHING,
  exponent: () => NOTHING,
  // What the strategies differ in.
  factors: () => NOTHING,
  own: () => NOTHING,
};

/** Every column but factors, by what it means: the same for all strategies. */
export function fuseColumns({ meanings, all }: Members): Map<string, Block> {
  const fused = Object.entries(meanings).flatMap(([name, meaning]) =>
    (RULES[meaning.as] as Rule<Meaning['as']>)(name, meaning, having(name, all)),
  );
  return new Map(fused);
}

/** Factors of one base. */
export function averageFactors({ meanings, all }: Members): Map<string, Block> {
  const fused = Object.entries(meanings).flatMap(([name, meaning]) =>
    meaning.as === 'factors' ? [[name, average(weighted(name, meaning.weight, having(name, all)))] as const] : [],
  );
  return new Map(fused);
}

const having = (name: string, all: readonly Member[]) => all.filter(({ blocks }) => blocks.has(name));

function weighted(name: string, weight: string, all: readonly Member[]) {
  return all.map((member) => ({ block: requireBlock(member, name), weights: weightsOf(member, weight) }));
}
