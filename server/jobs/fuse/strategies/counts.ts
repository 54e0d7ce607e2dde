import { exponentOf, powerOfTwo } from '../../../../plugins/contract/index.ts';
import type { Block } from '../../../models/fusion.ts';

/** Sums; with exponents, each is the number times two to that. */
export interface Sums {
  readonly block: Block;
  readonly exponents?: Block;
}

/**
 * Adds up what models counted of different ratings: what one that had learned them all would have counted, exactly where the
 * numbers are whole, and else up to the rounding of a sum of doubles. Sums that decay with time add up too, when what is kept
 * of them does not (forward decay: Cormode, Shkapenyuk, Srivastava & Xu 2009): n 2^x, 1 <= n < 2, on the larger of the x.
 */
export function addUp(parts: readonly Sums[]): Sums {
  const [{ block, exponents }] = parts;
  const sums = { ...block, values: block.values.slice() };
  if (!exponents) {
    for (const part of parts.slice(1)) for (const [at, value] of part.block.values.entries()) sums.values[at] += value;
    return { block: sums };
  }
  const scales = { ...exponents, values: exponents.values.slice() };
  for (let at = 0; at < sums.values.length; at++) {
    const terms = parts.filter((part) => part.block.values[at] > 0);
    if (terms.length === 0) continue;
    const exponentAt = (part: Sums) => (part.exponents as Block).values[at];
    const most = terms.reduce((so, term) => Math.max(so, exponentAt(term)), Number.NEGATIVE_INFINITY);
    const sum = terms.reduce((so, term) => so + term.block.values[at] * powerOfTwo(exponentAt(term) - most), 0);
    const shift = exponentOf(sum);
    sums.values[at] = sum * powerOfTwo(-shift);
    scales.values[at] = most + shift;
  }
  return { block: sums, exponents: scales };
}

const COUNT_MAX = 2 ** 32 - 1;

/** Evidence that models have in common is counted once: the most that one of them has; that of others is added. */
export function countEvidence(parts: readonly { readonly block: Block; readonly isForeign: boolean }[]): Block {
  const [{ block }] = parts;
  const values = block.values.slice();
  for (const { block: other, isForeign } of parts.slice(1)) {
    if (!isForeign) for (const [at, count] of other.values.entries()) values[at] = Math.max(values[at], count);
  }
  for (const { block: other, isForeign } of parts.slice(1)) {
    if (!isForeign) continue;
    for (const [at, count] of other.values.entries()) values[at] = Math.min(COUNT_MAX, values[at] + count);
  }
  return { ...block, values };
}
