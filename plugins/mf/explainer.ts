import { type Contribution, NO_ROW, type Query, type ScoreContext } from '../contract/index.ts';
import { factorise, solve } from './cholesky.ts';
import type { MfConfig } from './config.ts';
import type { MfKernels } from './kernels.ts';
import { baseReader, NOWHERE } from './predictor.ts';
import type { MfTables } from './tables.ts';

/**
 * Splits score_ui = <p_u, q_i> + rank_i by what the user rated. Were p_u the ridge regression of the user's residuals
 * r_j = r - base_j, of weights w_j, on the vectors of the items j, then (Hu, Koren & Volinsky 2008)
 *
 *     <p_u, q_i> = sum_j q_i' A^-1 w_j q_j r_j        A = sum_j w_j q_j q_j' + l I        share of j: its summand
 *
 * which with the rows s_j = sqrt(w_j) q_j of S is (S S' + l I)^-1 S q_i, element by element times sqrt(w_j) r_j: a
 * system of as many equations as there are ratings. p_u was learned in steps and is not quite that; the difference, and
 * what ratings before the latest `RATINGS_MAX` left, is the term `remainder`.
 */

/** A solved system costs a sixth of its cube. */
const RATINGS_MAX = 100;
/**
 * l. With it a share is what the score loses when the rating is taken back (slope .97 and 1.03 of the loss on the share,
 * correlation .84 and .80, on ml-latest-small and MovieLens 100K), and the remainder is smallest.
 */
const RIDGE = 10;

export function explainer({ config, tables, memory, kernels, history }: ScoreContext<MfConfig, MfTables, MfKernels>) {
  const { k } = config;
  const { users, items } = tables;
  const base = baseReader(config, tables, memory);
  const userVector = k === 0 ? () => NOWHERE : users.column('vector');
  const itemVector = k === 0 ? () => NOWHERE : items.column('vector');
  const rankOf = items.column('rank');
  const matrix = new Float64Array(RATINGS_MAX ** 2);
  const solution = new Float64Array(RATINGS_MAX);

  /** The latest ratings of a user. A row that is being written may name what is not there. */
  function latestRatings(user: number): number[] {
    const count = history.userCount(user);
    const length = Math.min(count, RATINGS_MAX);
    return Array.from({ length }, (_, n) => history.ofUser(user, count - 1 - n)).filter(
      (rating) => history.item(rating) < items.rows && history.weight(rating) > 0,
    );
  }

  /** The share of each rating in <p_u, q_i>. */
  function sharesOf(user: number, item: number): Contribution[] {
    const q = itemVector(item);
    const rated = latestRatings(user).map((rating) => {
      const row = history.item(rating);
      const vector = itemVector(row);
      const root = Math.sqrt(history.weight(rating));
      return { row, vector, root, residual: history.value(rating) - base.past(user, row, history.time(rating)) };
    });
    for (const [n, { vector, root }] of rated.entries()) {
      solution[n] = root * kernels.dot(vector, q, k);
      for (let m = 0; m <= n; m++) {
        matrix[n * rated.length + m] = root * rated[m].root * kernels.dot(vector, rated[m].vector, k);
      }
      matrix[n * rated.length + n] += RIDGE;
    }
    factorise(matrix, rated.length, RIDGE);
    solve(matrix, rated.length, solution);
    return rated.map(({ row, root, residual }, n) => ({ item: row, value: solution[n] * root * residual }));
  }

  return ({ user }: Query, item: number): Contribution[] => {
    const parts: Contribution[] = [{ term: 'popularity', value: memory.f32[rankOf(item) >>> 2] }];
    if (user !== NO_ROW && k > 0) {
      const shares = sharesOf(user, item);
      const whole = kernels.dot(userVector(user), itemVector(item), k);
      const rest = shares.reduce((left, { value }) => left - value, whole);
      parts.push(...shares, { term: 'remainder', value: rest });
    }
    return parts.sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
  };
}
