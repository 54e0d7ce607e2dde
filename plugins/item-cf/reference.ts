import type { ItemCfConfig, TransitionsConfig } from './config.ts';

/**
 * `item-cf` in plain TypeScript, for tests: first ratings of weight 1 alone, as the reference programs learn them. Maps
 * and objects in place of tables and kernels; sums are rounded to f32 where the tables are f32.
 */

const f = Math.fround;
const SLOTS = 8;
const PAGE = 8;

interface Pair {
  readonly partner: number;
  count: number;
  product: number;
  own: number;
  other: number;
}

interface Said {
  readonly item: number;
  readonly value: number;
}

export class Reference {
  readonly #config: ItemCfConfig;
  readonly #histories = new Map<number, Said[]>();
  readonly #userBias = new Map<number, number>();
  readonly #itemBias = new Map<number, number>();
  readonly #counts = new Map<number, number>();
  readonly #pairs = new Map<number, PairRow>();
  readonly transitions: TransitionRows;
  readonly fast: TransitionRows;
  #mean = 3.5;
  #events = 0;

  constructor(config: ItemCfConfig) {
    this.#config = config;
    this.transitions = new TransitionRows(config.transitions);
    this.fast = new TransitionRows(config.fast);
  }

  predict(user: number, item: number): number {
    const { shrink, doubt } = this.#config.neighbours;
    let sum = 0;
    let total = doubt;
    for (const { partner, residual } of this.#neighbours(user)) {
      const [a, b] = [this.#pairs.get(item)?.find(partner), this.#pairs.get(partner)?.find(item)];
      const product = (a?.product ?? 0) + (b?.product ?? 0);
      const own = (a?.own ?? 0) + (b?.other ?? 0);
      const other = (a?.other ?? 0) + (b?.own ?? 0);
      const count = (a?.count ?? 0) + (b?.count ?? 0);
      if (product <= 0) continue;
      const w = ((product / Math.sqrt(own * other)) * (count / (count + shrink))) ** 2;
      sum += w * residual;
      total += w;
    }
    return this.#expected(user, item) + sum / total;
  }

  /** Scores of items by what follows what. */
  scores(by: TransitionRows, user: number): Map<number, number> {
    const discount = (item: number) => ((this.#counts.get(item) ?? 0) + 5) ** -this.#config.popularity;
    const scores = new Map<number, number>();
    const { recent, fade } = by.config;
    for (const [n, { item }] of this.#latest(user, recent).entries()) {
      for (const [to, weight] of by.leads(item))
        scores.set(to, (scores.get(to) ?? 0) + fade ** n * discount(item) * weight * discount(to));
    }
    return scores;
  }

  learn(user: number, item: number, value: number): void {
    const { userFloor, itemFloor } = this.#config.bias;
    const history = obtain(this.#histories, user, () => []);
    const count = this.#counts.get(item) ?? 0;
    const e = value - this.#expected(user, item);
    const neighbours = this.#neighbours(user);
    if (neighbours.length > 0) {
      const row = obtain(this.#pairs, item, () => new PairRow(this.#config.neighbours.partners / SLOTS));
      row.grow(count + 1);
      for (const { partner, residual } of neighbours) {
        const pair = row.obtain(partner);
        pair.count = f(pair.count + 1);
        pair.product = f(pair.product + e * residual);
        pair.own = f(pair.own + e * e);
        pair.other = f(pair.other + residual * residual);
      }
    }
    const before = this.#latest(user, 1000).map((said) => said.item);
    this.transitions.follow(item, before);
    this.fast.follow(item, before);
    this.#mean += (value - this.#mean) / (this.#events++ + 11);
    add(this.#userBias, user, Math.max(userFloor, 1 / (history.length + 4)) * e);
    add(this.#itemBias, item, Math.max(itemFloor, 1 / (count + 4)) * e);
    add(this.#counts, item, 1);
    history.push({ item, value });
  }

  #expected(user: number, item: number): number {
    return this.#mean + (this.#userBias.get(user) ?? 0) + (this.#itemBias.get(item) ?? 0);
  }

  #latest(user: number, most: number): Said[] {
    return (this.#histories.get(user) ?? []).toReversed().slice(0, most);
  }

  #neighbours(user: number): { readonly partner: number; readonly residual: number }[] {
    return this.#latest(user, this.#config.neighbours.history).map(({ item, value }) => ({
      partner: item,
      residual: value - this.#expected(user, item),
    }));
  }
}

/** The partners of an item in sets, found by a hash; in a full set, the one that was met least makes way. */
class PairRow {
  readonly #most: number;
  #sets: (Pair | undefined)[][] = [];

  constructor(most: number) {
    this.#most = most;
  }

  /** Eight sets for every rating, in powers of two. */
  grow(ratings: number): void {
    let wanted = PAGE;
    while (wanted < this.#most && wanted < PAGE * ratings) wanted *= 2;
    if (this.#sets.length === 0) this.#sets = emptySets(PAGE);
    while (this.#sets.length < wanted) {
      const half = this.#sets.length;
      this.#sets.push(...emptySets(half));
      for (let set = 0; set < half; set++) {
        const moves = (pair: Pair | undefined) => pair !== undefined && (hash(pair.partner) & half) !== 0;
        const moved = this.#sets[set].filter(moves);
        this.#sets[set + half].splice(0, moved.length, ...moved);
        this.#sets[set] = this.#sets[set].map((pair) => (moves(pair) ? undefined : pair));
      }
    }
  }

  find(partner: number): Pair | undefined {
    return this.#sets[hash(partner) & (this.#sets.length - 1)]?.find((pair) => pair?.partner === partner);
  }

  obtain(partner: number): Pair {
    const set = this.#sets[hash(partner) & (this.#sets.length - 1)];
    const known = set.find((pair) => pair?.partner === partner);
    if (known) return known;
    const counts = set.map((pair) => pair?.count ?? 0);
    const made = { partner, count: 0, product: 0, own: 0, other: 0 };
    set[counts.indexOf(Math.min(...counts))] = made;
    return made;
  }
}

/** What leads to what, each row decayed as a whole. */
export class TransitionRows {
  readonly config: TransitionsConfig;
  readonly #rows = new Map<number, { readonly to: number[]; readonly weight: number[]; scale: number }>();

  constructor(config: TransitionsConfig) {
    this.config = config;
  }

  /** `before`: the latest first. */
  follow(item: number, before: readonly number[]): void {
    const { window, exponent, back } = this.config;
    this.#fade(item);
    for (const [n, from] of before.slice(0, window).entries()) {
      if (n === 0) this.#fade(from);
      const gain = f((1 + n) ** -exponent);
      this.#lead(from, item, gain);
      if (back > 0) this.#lead(item, from, f(f(back) * gain));
    }
  }

  *leads(from: number): Iterable<[to: number, weight: number]> {
    const row = this.#rows.get(from);
    for (const [n, to] of row?.to.entries() ?? []) yield [to, (row?.weight[n] ?? 0) / (row?.scale ?? 1)];
  }

  #row(item: number) {
    return obtain(this.#rows, item, () => ({ to: [], weight: [], scale: 1 }));
  }

  #fade(item: number): void {
    const row = this.#row(item);
    row.scale = f(row.scale / this.config.keep);
    if (row.scale <= f(1e15)) return;
    for (const [n, weight] of row.weight.entries()) row.weight[n] = f(weight / row.scale);
    row.scale = 1;
  }

  #lead(from: number, to: number, gain: number): void {
    const { to: keys, weight, scale } = this.#row(from);
    const scaled = f(gain * scale);
    const at = keys.indexOf(to);
    if (at >= 0) {
      weight[at] = f(weight[at] + scaled);
      return;
    }
    const place = keys.length < this.config.partners ? keys.length : weight.indexOf(Math.min(...weight));
    keys[place] = to;
    weight[place] = scaled;
  }
}

const hash = (item: number) => Math.imul(item, 2654435761) >>> 7;
const emptySets = (count: number) =>
  Array.from({ length: count }, () => new Array<Pair | undefined>(SLOTS).fill(undefined));

function obtain<Value>(map: Map<number, Value>, key: number, make: () => Value): Value {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}

function add(map: Map<number, number>, key: number, amount: number): void {
  map.set(key, (map.get(key) ?? 0) + amount);
}
