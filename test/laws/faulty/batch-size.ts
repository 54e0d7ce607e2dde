import { definePlugin } from '../../../plugins/contract/index.ts';
import honest, { type HonestScoring, scorer } from './honest.ts';

/** Scores more in company: each item by how many stand in its span. */
export default definePlugin({
  ...honest,
  name: 'batch-size',
  scorer: (context: HonestScoring) => {
    const inner = scorer(context);
    return {
      ...inner,
      score(query, spans, spanCount, out) {
        inner.score(query, spans, spanCount, out);
        let at = out >>> 2;
        for (let span = 0; span < spanCount; span++) {
          const length = spans[2 * span + 1] - spans[2 * span];
          for (let n = 0; n < length; n++) context.scores[at++] += length;
        }
      },
    };
  },
});

export const breaks = [
  'scores of a batch are those of its parts',
  'factors multiply to the scores',
  'an explanation adds up to the score, the greatest share first',
  'without none of the ratings a score is what it is',
];
