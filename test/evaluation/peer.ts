import { fileURLToPath } from 'node:url';
import { NO_ROW } from '../../plugins/contract/index.ts';
import type { Examination } from '../../server/jobs/evaluation/evaluate.ts';
import type { Lists } from '../../server/jobs/evaluation/observations.ts';
import { RANK_MISS } from '../../server/models/prequential.ts';
import { PythonPackages } from '../support/python.ts';

/** scikit-learn as the independent judge of figures. */

export const peer = new PythonPackages(['scikit-learn==1.7.2'], 'sklearn.metrics');
const script = fileURLToPath(new URL('./peer.py', import.meta.url));

/** By model: figures and intervals by metric. */
export type Judgement = Readonly<
  Record<
    string,
    {
      readonly figures: Readonly<Record<string, number>>;
      readonly intervals: Readonly<Record<string, readonly [number, number]>>;
    }
  >
>;

/** The largest cut-off: so many places there must be, however low the ranks. */
const PLACES_MIN = 101;

/** What was learned, told without the code that is judged. */
export interface Learned {
  /** By row: how many learned ratings an item has, and its categories. */
  readonly ratings: readonly number[];
  readonly categories: readonly (readonly string[])[];
  /** Users who have learned ratings. */
  readonly raters: number;
}

/** In one call: the peer takes longer to begin than to judge. `cutoffs`: of the metrics of lists. */
export function judge(
  examinations: readonly { readonly examination: Examination; readonly learned: Learned }[],
  cutoffs: readonly number[],
): Judgement[] {
  const input = JSON.stringify(examinations.map((one) => ({ ...studyOf(one.examination), ...one.learned, cutoffs })));
  return peer.run([script], { input }) as Judgement[];
}

function studyOf({ observations, answers, scale }: Examination): object {
  const ranks = answers.flatMap(({ rank }) => [...rank]).filter((rank) => rank !== RANK_MISS);
  return {
    places: ranks.reduce((most, rank) => Math.max(most, rank + 1), PLACES_MIN),
    scale: [scale.min, scale.max],
    step: observations.step,
    users: [...observations.user],
    items: [...observations.item],
    values: [...observations.value],
    models: answers.map(({ model, predicted, rank, candidates, lists }) => ({
      name: model,
      predicted: predicted ? [...predicted] : null,
      ranks: Array.from(rank, (place) => (place === RANK_MISS ? null : place)),
      candidates: [...candidates],
      lists: lists ? rowsOf(lists) : null,
    })),
  };
}

function rowsOf({ length, items }: Lists): number[][] {
  return Array.from({ length: items.length / length }, (_, user) =>
    [...items.subarray(user * length, (user + 1) * length)].filter((item) => item !== NO_ROW),
  );
}
