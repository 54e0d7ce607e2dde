/**
 * The Bayesian base with its factors, and the factors of sequences, for tests: plain and slow, objects and arrays in place
 * of tables, `Math.log` and `Math.exp` in place of kernels. Ported from the C programs that the figures of both come from,
 * to which the first is equal to 5e-10 without factors; what they draw is given.
 */

interface User {
  n: number;
  readonly x: number[];
  readonly A: number[][];
  readonly p: number[];
  late: number;
  squares: number;
  last: number;
  session: number;
}

interface Item {
  n: number;
  y: number;
  B: number;
  readonly q: number[];
  effect: number;
  first: number;
}

export interface Event {
  readonly user: number;
  readonly item: number;
  /** 1 .. 5 */
  readonly value: number;
  readonly time: number;
}

const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, n) => sum + x * b[n], 0);
const times = (A: readonly number[][], b: readonly number[]) => A.map((row) => dot(row, b));
const diagonal = (...of: number[]) => of.map((x, n) => of.map((_, m) => (m === n ? x : 0)));
const clamp = (x: number, most: number) => Math.max(-most, Math.min(most, x));

/** Prediction, then learning, of one rating after the other; p and q start with what `drawn` says. */
export class RatingReference {
  readonly #users = new Map<number, User>();
  readonly #items = new Map<number, Item>();
  readonly hasFactors: boolean;
  readonly #drawn: (table: 'users' | 'items', n: number) => readonly number[];
  #t = 0;
  #mu = 3.5;
  readonly #M = [0, 0, 0, 0, 0];
  readonly #V = [1, 1, 1, 1, 1];
  readonly #G = [0, 0, 0];
  readonly #P = diagonal(0.01, 0.01, 0.01);

  constructor(drawn?: (table: 'users' | 'items', n: number) => readonly number[]) {
    this.hasFactors = drawn !== undefined;
    this.#drawn = drawn ?? (() => []);
  }

  /** The rating that was expected, unclipped. */
  learn({ user, item, value, time }: Event): number {
    const u = this.#user(user);
    const i = this.#item(item);
    if (u.n > 0 && time - u.last > 3600) u.session = 0;
    const a = this.#features(u, i, time);
    const z = a.slice(1, 4);
    const expected = this.#mu + dot(this.#G, z) + i.y + dot(u.x, a) + dot(u.p, i.q);
    const e = value - expected;
    const noise = 0.375 + (0.5 * (u.squares * u.n + 7.5)) / (u.n + 10);
    this.#mu += (value - this.#mu) / (this.#t + 11);
    if (i.n === 0) i.first = time;
    i.effect += (value - this.#mu - u.x[0] - i.effect) / (i.n + 5);
    u.squares += (e * e - u.squares) * (u.n === 0 ? 1 : 1 / (u.n + 5));
    u.late += 0.3 * (e - u.late);
    u.last = time;
    u.session++;
    this.#filter(u, i, a, e, noise);
    step(u, i, e);
    u.n++;
    i.n++;
    this.#t++;
    return expected;
  }

  #features(u: User, i: Item, time: number): number[] {
    const days = i.n > 0 ? (time - i.first) / 86_400 : 0;
    const raw = [i.effect, Math.log(1 + i.n), Math.log(1 + days), Math.log(1 + u.session), u.late];
    return [1].concat(
      raw.map((feature, f) => {
        this.#M[f] += (feature - this.#M[f]) / (this.#t + 2);
        const off = feature - this.#M[f];
        this.#V[f] += (off * off - this.#V[f]) / (this.#t + 20);
        return clamp(off / Math.sqrt(this.#V[f] + 1e-6), 4);
      }),
    );
  }

  #filter(u: User, i: Item, a: number[], e: number, noise: number): void {
    for (const [f, row] of u.A.entries()) row[f] = Math.fround(row[f] + (f === 0 ? 0.0015 : 0.00003));
    i.B += 0.00005;
    for (const [f, row] of this.#P.entries()) row[f] += 1e-8;
    const z = a.slice(1, 4);
    const [g, d, h] = [times(u.A, a), times(this.#P, z), i.B];
    const S = noise + dot(a, g) + h + dot(z, d);
    for (let f = 0; f < g.length; f++) {
      u.x[f] += (g[f] / S) * e;
      for (let k = 0; k < g.length; k++) u.A[f][k] = Math.fround(u.A[f][k] - (g[f] * g[k]) / S);
    }
    i.y += (h / S) * e;
    i.B -= (h * h) / S;
    for (let f = 0; f < d.length; f++) {
      this.#G[f] += (d[f] / S) * e;
      for (let k = 0; k < d.length; k++) this.#P[f][k] -= (d[f] * d[k]) / S;
    }
  }

  #user(n: number): User {
    const known = this.#users.get(n);
    if (known) return known;
    const A = diagonal(0.15, 0.015, 0.015, 0.015, 0.015, 0.015).map((row) => row.map(Math.fround));
    const p = [...this.#drawn('users', n)];
    const user = { n: 0, x: A.map(() => 0), A, p, late: 0, squares: 0, last: 0, session: 0 };
    this.#users.set(n, user);
    return user;
  }

  #item(n: number): Item {
    const known = this.#items.get(n);
    if (known) return known;
    const item = { n: 0, y: 0, B: 0.2, q: [...this.#drawn('items', n)], effect: 0, first: 0 };
    this.#items.set(n, item);
    return item;
  }
}

/** The normalised step of both vectors. */
function step({ p }: User, { q }: Item, e: number): void {
  const [byUser, byItem] = [e / (1 + 0.64 * dot(q, q)), e / (1 + 0.64 * dot(p, p))];
  for (let f = 0; f < p.length; f++) {
    const [pf, qf] = [p[f], q[f]];
    p[f] += 0.16 * (byUser * qf - 0.02 * pf);
    q[f] += 0.16 * (byItem * pf - 0.02 * qf);
  }
}

/** A row of the sequence's factors and the sum of its squared gradients. */
export interface Adaptive {
  readonly row: number[];
  squares: number;
}

export interface SequenceRows {
  readonly P: Adaptive;
  /** Of the latest ratings, the latest first. */
  readonly Y: readonly Adaptive[];
  readonly weights: readonly number[];
  /** Of what is told apart, and behind them of the item that was rated. */
  readonly Q: readonly Adaptive[];
}

/** One step of the factors of sequences, in place; `b` unless the item learns alone, and else those that were so likely. */
export function sequenceStep({ P, Y, weights, Q }: SequenceRows, b?: number[], rival = 0): void {
  const k = P.row.length;
  const s = P.row.map((x, f) => Y.reduce((sum, { row }, n) => sum + weights[n] * row[f], x));
  const parts = Q.map(({ row }, j) => Math.exp((b?.[j] ?? 0) + dot(s, row)));
  const total = parts.reduce((sum, part) => sum + part, 0);
  const e = parts.map((part, j) => (j === Q.length - 1 ? 1 : 0) - part / total);
  const g = s.map((_, f) => Q.reduce((sum, { row }, j) => sum + e[j] * row[f], 0));
  const move = (of: Adaptive, eta: number, square: number, toward: (f: number) => number) => {
    of.squares += square;
    for (let f = 0; f < k; f++) of.row[f] += (eta / Math.sqrt(0.01 + of.squares)) * (toward(f) - 0.001 * of.row[f]);
  };
  for (const [j, row] of Q.entries()) {
    if (j < Q.length - 1 && !(b && -e[j] >= rival)) continue;
    move(row, 0.09, (e[j] ** 2 * dot(s, s)) / k, (f) => e[j] * s[f]);
    if (b) b[j] += 0.05 * (e[j] - 0.001 * b[j]);
  }
  move(P, 0.14, dot(g, g) / k, (f) => g[f]);
  for (const [n, row] of Y.entries()) move(row, 0.09 * weights[n], (weights[n] ** 2 * dot(g, g)) / k, (f) => g[f]);
}
