import { NO_ROW } from '../../../plugins/contract/index.ts';
import { PARTS } from './catalogue.ts';
import type { Evidence, Make, Means } from './statistic.ts';

const EMPTY = 'all lists are empty';

/**
 * Metrics of lists: of each user the k items that a model would show, of all that the user has not rated, as of the time of
 * the first rating that is held out. All items are those that anything was learned of.
 *
 * - `precision@k`, `recall@k`: of the places, and of the user's held-out items, the share that is a held-out item in the
 *   list; mean over users (Herlocker et al. 2004).
 * - `coverage@k`: the share of all items that stand in some list (Ge et al. 2010).
 * - `gini@k`: the Gini index of how many lists each item stands in: 0 where all stand in equally many, near 1 where few
 *   stand in all (Shani & Gunawardana 2011).
 * - `exposure_head@k`, `exposure_middle@k`, `exposure_tail@k`: the shares of `PARTS` in all exposure, which at place p is
 *   1/log2(1 + p) (Singh & Joachims 2018). Lists in proportion to past ratings would have about .2, .6 and .2.
 * - `novelty@k`: mean self-information of an item shown, in bits (Zhou et al. 2010; Vargas & Castells 2011).
 * - `diversity@k`: mean of 1 - likeness of two items of one list (Smyth & McClave 2001; Ziegler et al. 2005), by what the
 *   catalogue says of them and not by the model's own vectors, which would be another measure for each model.
 */
export const LIST_METRICS_AT: Readonly<Record<string, Make>> = {
  precision: (evidence, cutoff) => ofLists([(u) => hitsOf(evidence, cutoff, u) / cutoff]),
  recall: (evidence, cutoff) => {
    const { starts } = evidence;
    return ofLists([(u) => hitsOf(evidence, cutoff, u) / (starts[u + 1] - starts[u])]);
  },
  coverage: (evidence, cutoff) => ofCounts(evidence, cutoff, coverageOf),
  gini: (evidence, cutoff) => ofCounts(evidence, cutoff, giniOf),
  ...Object.fromEntries(PARTS.map((name, part) => [`exposure_${name}`, exposureOf(part)])),
  novelty: (evidence, cutoff) => {
    const { selfInformation } = evidence.catalogue;
    return ratio(
      (u) => listOf(evidence, cutoff, u).reduce((sum, item) => sum + selfInformation[item], 0),
      (u) => listOf(evidence, cutoff, u).length,
    );
  },
  diversity: (evidence, cutoff) => {
    const { catalogue } = evidence;
    if (!catalogue.isDescribed) return 'no item has categories or labels';
    if (cutoff < 2) return 'a list of one item has no two items';
    return ratio(
      (u) => sumOfPairs(listOf(evidence, cutoff, u), (a, b) => 1 - catalogue.likeness(a, b)),
      (u) => sumOfPairs(listOf(evidence, cutoff, u), () => 1),
      'no list has two items',
    );
  },
};

function exposureOf(part: number): Make {
  return (evidence, cutoff) => {
    const { catalogue } = evidence;
    const exposure = (u: number, of: (item: number) => boolean) =>
      listOf(evidence, cutoff, u).reduce((sum, item, n) => sum + (of(item) ? 1 / Math.log2(2 + n) : 0), 0);
    return ratio(
      (u) => exposure(u, (item) => catalogue.part[item] === part),
      (u) => exposure(u, () => true),
    );
  };
}

function ofLists(parts: Means['parts'], figure: Means['figure'] = ([only]) => only): Means {
  return { per: 'list', parts, figure };
}

/** The sum of one number over all lists by that of another. */
function ratio(above: (u: number) => number, below: (u: number) => number, none = EMPTY): Means {
  return { ...ofLists([above, below], ([one, other]) => one / other), none };
}

/** The first items of a user's list. */
function listOf({ answers: { lists } }: Evidence, cutoff: number, user: number): Uint32Array {
  if (!lists) return new Uint32Array();
  const from = user * lists.length;
  const list = lists.items.subarray(from, from + Math.min(cutoff, lists.length));
  const end = list.indexOf(NO_ROW);
  return end < 0 ? list : list.subarray(0, end);
}

function hitsOf(evidence: Evidence, cutoff: number, user: number): number {
  const { catalogue, starts } = evidence;
  const relevant = new Set(catalogue.heldOut.subarray(starts[user], starts[user + 1]));
  return listOf(evidence, cutoff, user).filter((item) => relevant.has(item)).length;
}

function sumOfPairs(list: Uint32Array, of: (a: number, b: number) => number): number {
  let sum = 0;
  for (let a = 1; a < list.length; a++) for (let b = 0; b < a; b++) sum += of(list[a], list[b]);
  return sum;
}

/** A function of the lists that each item stands in. Of fewer users fewer items stand in one. */
function ofCounts(evidence: Evidence, cutoff: number, figure: (counts: Float64Array) => number): ReturnType<Make> {
  const { catalogue, starts } = evidence;
  const lists = Array.from({ length: starts.length - 1 }, (_, user) => listOf(evidence, cutoff, user));
  const counts = new Float64Array(catalogue.items);
  const of = (weights: ArrayLike<number>) => {
    counts.fill(0);
    for (const [user, list] of lists.entries()) {
      if (weights[user] > 0) for (const item of list) counts[item] += weights[user];
    }
    return figure(counts);
  };
  return { per: 'list', of, isBiased: true, none: EMPTY };
}

/** The share that is above 0. */
function coverageOf(counts: ArrayLike<number>): number {
  let shown = 0;
  for (let n = 0; n < counts.length; n++) if (counts[n] > 0) shown++;
  return shown / counts.length;
}

/** sum over i of (2 i - n - 1) x_i / (n sum of x), x ascending. */
export function giniOf(counts: Float64Array): number {
  const sorted = counts.toSorted();
  const n = sorted.length;
  let [weighted, total] = [0, 0];
  for (let i = 0; i < n; i++) {
    weighted += (2 * i + 1 - n) * sorted[i];
    total += sorted[i];
  }
  return weighted / (n * total);
}
