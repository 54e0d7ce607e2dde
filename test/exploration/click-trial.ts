import { Random } from '../../plugins/contract/index.ts';
import { POINTS, pointOf } from '../../server/allocation/point.ts';
import { preferenceConfidence } from '../../server/experiments/metrics.ts';
import { boundsOf, CONFIDENCE, type Estimate } from '../../server/experiments/statistics/boundary.ts';
import { differenceOf } from '../../server/experiments/statistics/figures.ts';
import { Preference } from '../../server/experiments/statistics/interleaving.ts';
import { Moments, type UnitSums } from '../../server/experiments/statistics/moments.ts';
import { NO_TEAM } from '../../server/memory/ledger/answers.ts';
import { teamDraft } from '../../server/serving/interleave.ts';
import type { Ranked } from '../../server/serving/ranking.ts';

/** Which of two models has the better lists, found by clicks: with half of the users for each, or with both in every list. */

/** A user, with the best items in the order of each model, and how attractive they are to that user. */
export interface Reader {
  /** By model. */
  readonly rankings: Readonly<Record<string, readonly Ranked[]>>;
  /** The chance of a click on an item that is looked at. */
  readonly attraction: (row: number) => number;
  /** How often this user comes. */
  readonly visits: number;
}

export interface Decision {
  /** Lists that were shown until it was clear; `most` where it was not. */
  readonly impressions: number;
  /** Of the models; undefined: it was not decided. */
  readonly better: 0 | 1 | undefined;
}

const PLACES = 10;
/** Of the items, at every visit anew: what there is to recommend changes. */
const AVAILABLE = 0.1;
/** Users who are there at the time, one visit among those of the others. */
const CROWD = 200;
/** The statistics are looked at after so many lists, again and again. */
const LOOK_EVERY = 50;

/** How likely a place is looked at, from 0: the first one surely (position-based model; Joachims et al. 2017). */
const attentionAt = (place: number): number => 1 / (1 + place);

/**
 * A model whose lists are shown; `swaps`: they are spoiled, so that it is known which is better. So many of the first five
 * items change places with any of the seventh to the eleventh (SWAP2 and SWAP4 of Radlinski et al. 2008).
 */
export interface Side {
  readonly model: string;
  readonly swaps?: number;
}

interface Visitor {
  readonly reader: Reader;
  readonly name: string;
  left: number;
  sums: UnitSums;
}

/** Simulated users, each one of the real ones, from the first visit to the last. */
export class ClickTrial {
  readonly #readers: readonly Reader[];
  readonly #sides: readonly [Side, Side];
  readonly #random = new Random();
  readonly #salt: string;
  readonly #here: Visitor[] = [];
  #users = 0;

  constructor(readers: readonly Reader[], sides: readonly [Side, Side], seed: number) {
    this.#readers = readers;
    this.#sides = sides;
    this.#salt = `trial-${seed}`;
    this.#random.key(seed, 0);
  }

  /** Users are split by the server's hash; compared is the share of lists that are clicked on. */
  split(most: number): Decision {
    const arms = [0, 1].map(() => ({ moments: new Moments(), events: { count: 0, sum: 0, squares: 0 } }));
    const show = (visitor: Visitor) => {
      const arm = pointOf(this.#salt, visitor.name) < POINTS / 2 ? 0 : 1;
      const { moments, events } = arms[arm];
      const list = this.#lists(visitor.reader)[arm];
      const clicked = Number(this.#clicks(visitor.reader, list).length > 0);
      const { sum, count } = visitor.sums;
      if (count > 0) moments.remove(visitor.sums);
      visitor.sums = { sum: sum + clicked, count: count + 1, sumBefore: 0, countBefore: 0 };
      moments.add(visitor.sums);
      events.count++;
      events.sum += clicked;
      events.squares += clicked;
    };
    return this.#until(most, show, () => differenceOf(arms[1], arms[0]));
  }

  /** Every list is drafted by both; compared is whose items are clicked on. */
  interleave(most: number): Decision {
    const preference = new Preference();
    const show = (visitor: Visitor) => {
      const drafted = teamDraft(this.#lists(visitor.reader), PLACES, this.#random);
      const list = drafted.map(({ item }) => item);
      const [arm, all] = [visitor.sums.sum, visitor.sums.count];
      if (all > 0) preference.add({ control: all - arm, arm }, -1);
      const teams = this.#clicks(visitor.reader, list).map((place) => drafted[place].team);
      const clicked = teams.filter((team) => team !== NO_TEAM);
      const sum = arm + clicked.filter((team) => team === 1).length;
      visitor.sums = { sum, count: all + clicked.length, sumBefore: 0, countBefore: 0 };
      if (visitor.sums.count > 0) preference.add({ control: visitor.sums.count - sum, arm: sum });
    };
    return this.#until(most, show, () => preference.estimate, preferenceConfidence(CONFIDENCE));
  }

  /** The share of lists of each model that are clicked on, over so many visits that both have in common. */
  rates(visits: number): [number, number] {
    const clicked: [number, number] = [0, 0];
    for (let n = 0; n < visits; n++) {
      const { reader } = this.#visit();
      for (const [arm, list] of this.#lists(reader).entries()) {
        const none = list.reduce(
          (chance, { row }, place) => chance * (1 - reader.attraction(row) * attentionAt(place)),
          1,
        );
        clicked[arm] += (1 - none) / visits;
      }
    }
    return clicked;
  }

  #until(
    most: number,
    show: (visitor: Visitor) => void,
    estimate: () => Estimate | undefined,
    confidence = CONFIDENCE,
  ): Decision {
    for (let impressions = 1; impressions <= most; impressions++) {
      show(this.#visit());
      if (impressions % LOOK_EVERY !== 0) continue;
      const found = estimate();
      const bounds = found && boundsOf(found, confidence);
      if (bounds && bounds.lower > 0) return { impressions, better: 1 };
      if (bounds && bounds.upper < 0) return { impressions, better: 0 };
    }
    return { impressions: most, better: undefined };
  }

  /** One of those who are there. */
  #visit(): Visitor {
    while (this.#here.length < CROWD) this.#here.push(this.#arrive());
    const place = this.#random.below(CROWD);
    const visitor = this.#here[place];
    if (--visitor.left === 0) this.#here[place] = this.#arrive();
    return visitor;
  }

  #arrive(): Visitor {
    const reader = this.#readers[this.#random.below(this.#readers.length)];
    const sums = { sum: 0, count: 0, sumBefore: 0, countBefore: 0 };
    return { reader, name: `user-${this.#users++}`, left: reader.visits, sums };
  }

  /** The best of each side of what there is now. */
  #lists({ rankings }: Reader): [Ranked[], Ranked[]] {
    const now = this.#random.next();
    const [one, other] = this.#sides.map(({ model, swaps = 0 }) => {
      const list = bestOf(rankings[model], now);
      this.#spoil(list, swaps);
      return list.slice(0, PLACES);
    });
    return [one, other];
  }

  #spoil(list: Ranked[], swaps: number): void {
    if (swaps === 0) return;
    const random = this.#random;
    const above = Uint32Array.from({ length: 5 }, (_, place) => place);
    const below = Uint32Array.from({ length: 5 }, (_, place) => 6 + place);
    for (let n = 0; n < swaps; n++) {
      const [a, b] = [random.take(above, n), random.take(below, n)];
      [list[a], list[b]] = [list[b], list[a]];
    }
  }

  /** Places that are clicked on. */
  #clicks({ attraction }: Reader, list: readonly Ranked[]): number[] {
    return [...list.keys()].filter(
      (place) => this.#random.next() < attraction(list[place].row) * attentionAt(place) * 2 ** 32,
    );
  }
}

/** One more than a list has places. */
function bestOf(ranking: readonly Ranked[], now: number): Ranked[] {
  const list: Ranked[] = [];
  for (let n = 0; n < ranking.length && list.length <= PLACES; n++)
    if (drawOf(ranking[n].row, now) < AVAILABLE) list.push(ranking[n]);
  return list;
}

/** Of an item at a time, 0..1 (lowbias32, Wellons 2018). */
function drawOf(row: number, now: number): number {
  let x = row ^ now;
  x = Math.imul(x ^ (x >>> 16), 0x21f0_aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a_2d97);
  return ((x ^ (x >>> 15)) >>> 0) / 2 ** 32;
}
