import type { IalsConfig } from './config.ts';

/**
 * The objective in plain arithmetic, pair by pair, for tests: what kernels and S are to come to.
 *
 *     L = sum_n w_n (1 - <p_u, q_i>)² + c sum_u sum_i <p_u, q_i>² + sum_u l_u |p_u|² + sum_i l_i |q_i|²
 *
 * over the users and the items that have positives n = (u, i, w).
 */
export class Reference {
  readonly positives: Positive[] = [];
  readonly users = new Map<string, number[]>();
  readonly items = new Map<string, number[]>();
  readonly #config: Pick<IalsConfig, 'missing' | 'l2' | 'exponent'>;

  constructor(config: Pick<IalsConfig, 'missing' | 'l2' | 'exponent'>) {
    this.#config = config;
  }

  loss(): number {
    const { missing } = this.#config;
    let loss = 0;
    for (const { user, item, weight } of this.positives) {
      const x = dot(vectorOf(this.users, user), vectorOf(this.items, item));
      loss += weight * (1 - x) ** 2;
    }
    for (const p of this.users.values()) for (const q of this.items.values()) loss += missing * dot(p, q) ** 2;
    for (const [side, rows] of [
      ['user', this.users],
      ['item', this.items],
    ] as const)
      for (const [id, vector] of rows) loss += this.pull(side, id) * dot(vector, vector);
    return loss;
  }

  pull(side: Side, id: string): number {
    const { missing, l2, exponent } = this.#config;
    const own = this.positives.filter((positive) => positive[side] === id).length;
    return l2 * (own + missing * this.#others(side).size) ** exponent;
  }

  /** Sets each number of a vector to where the derivative of L is 0, one after the other. */
  descend(side: Side, id: string): void {
    const vector = vectorOf(this.#own(side), id);
    for (let f = 0; f < vector.length; f++) vector[f] = this.best(side, id, f);
  }

  best(side: Side, id: string, f: number): number {
    const vector = vectorOf(this.#own(side), id);
    const others = this.#others(side);
    const rest = (other: readonly number[]) => dot(vector, other) - vector[f] * other[f];
    let [up, curve] = [0, this.pull(side, id)];
    for (const positive of this.positives.filter((each) => each[side] === id)) {
      const other = vectorOf(others, positive[side === 'user' ? 'item' : 'user']);
      up += positive.weight * other[f] * (1 - rest(other));
      curve += positive.weight * other[f] ** 2;
    }
    for (const other of others.values()) {
      up -= this.#config.missing * other[f] * rest(other);
      curve += this.#config.missing * other[f] ** 2;
    }
    return up / curve;
  }

  /** The vector at which the derivative of L is 0, as a whole: by elimination. */
  solve(side: Side, id: string): number[] {
    const others = this.#others(side);
    const k = vectorOf(this.#own(side), id).length;
    const system = Array.from({ length: k }, (_, f) =>
      Array.from({ length: k + 1 }, (_, g) => (f === g ? this.pull(side, id) : 0)),
    );
    const add = (v: readonly number[], weight: number, target: number) => {
      for (let f = 0; f < k; f++) {
        for (let g = 0; g < k; g++) system[f][g] += weight * v[f] * v[g];
        system[f][k] += weight * v[f] * target;
      }
    };
    for (const other of others.values()) add(other, this.#config.missing, 0);
    for (const positive of this.positives.filter((each) => each[side] === id))
      add(vectorOf(others, positive[side === 'user' ? 'item' : 'user']), positive.weight, 1);
    return eliminate(system);
  }

  #own(side: Side) {
    return side === 'user' ? this.users : this.items;
  }

  #others(side: Side) {
    return side === 'user' ? this.items : this.users;
  }
}

export type Side = 'user' | 'item';

export interface Positive {
  readonly user: string;
  readonly item: string;
  readonly weight: number;
}

export const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, x, f) => sum + x * b[f], 0);

function vectorOf(rows: ReadonlyMap<string, number[]>, id: string): number[] {
  const vector = rows.get(id);
  if (!vector) throw new RangeError(`there is no ${id}`);
  return vector;
}

/** Solves a symmetric, positive definite system of rows (a, b). */
function eliminate(system: number[][]): number[] {
  const k = system.length;
  for (let f = 0; f < k; f++) {
    for (let row = 0; row < k; row++) {
      if (row === f) continue;
      const factor = system[row][f] / system[f][f];
      for (let g = f; g <= k; g++) system[row][g] -= factor * system[f][g];
    }
  }
  return system.map((row, f) => row[k] / row[f]);
}
