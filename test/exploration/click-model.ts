import type { BanditLog } from '../experiments/open-bandit.ts';

/**
 * A click model by place (Richardson et al. 2007; Craswell et al. 2008): the chance of a click on item i at place k is
 *
 *     a_i g_k        a_i: how attractive the item is, as a click rate        g_k: how much the place is looked at, 1 on average
 *
 * fitted to a log of clicks by likelihood, in which items and places take turns; the clicks are taken as Poisson variables,
 * which rare ones nearly are. Every item begins with `PRIOR` exposures that were clicked as often as all are: with as few
 * clicks as such logs have, most of what differs between items would else be chance.
 */
export interface ClickModel {
  readonly items: number;
  readonly places: number;
  readonly chance: (item: number, place: number) => number;
  /** Clicks of a list whose items are any. */
  readonly uniform: number;
  readonly fit: Fit;
}

/** What there is to say of a fit. */
export interface Fit {
  readonly exposures: number;
  readonly clicks: number;
  /** From the least to the most attractive item. */
  readonly attractions: readonly number[];
  readonly attention: readonly number[];
  /** Pearson's statistic of the items' clicks against equal rates, and how many degrees of freedom it has. */
  readonly chiSquare: number;
  readonly degrees: number;
}

const PRIOR = 100;
const ROUNDS = 50;

export function fitClickModel({ item, place, reward }: BanditLog, items: number, places: number): ClickModel {
  const shown = Array.from({ length: items }, () => new Float64Array(places));
  const clicks = Array.from({ length: items }, () => new Float64Array(places));
  for (let n = 0; n < item.length; n++) {
    shown[item[n]][place[n]]++;
    clicks[item[n]][place[n]] += reward[n];
  }
  const sum = (values: Iterable<number>) => Array.from(values).reduce((a, b) => a + b, 0);
  const all = { exposures: item.length, clicks: sum(reward) };
  const rate = all.clicks / all.exposures;
  const attraction = new Float64Array(items).fill(rate);
  const attention = new Float64Array(places).fill(1);
  for (let round = 0; round < ROUNDS; round++) {
    for (let i = 0; i < items; i++) {
      const looked = sum(shown[i].map((count, k) => count * attention[k]));
      attraction[i] = (sum(clicks[i]) + PRIOR * rate) / (looked + PRIOR);
    }
    for (let k = 0; k < places; k++) {
      const expected = sum(shown.map((counts, i) => counts[k] * attraction[i]));
      attention[k] = sum(clicks.map((counts) => counts[k])) / expected;
    }
    const mean = sum(attention) / places;
    for (let k = 0; k < places; k++) attention[k] /= mean;
  }
  const chiSquare = sum(shown.map((counts, i) => (sum(clicks[i]) - sum(counts) * rate) ** 2 / (sum(counts) * rate)));
  return {
    items,
    places,
    chance: (i, k) => attraction[i] * attention[k],
    uniform: (sum(attraction) / items) * sum(attention),
    fit: {
      ...all,
      attractions: Array.from(attraction).sort((a, b) => a - b),
      attention: Array.from(attention),
      chiSquare,
      degrees: items - 1,
    },
  };
}
