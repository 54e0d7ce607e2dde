import { withScorer } from './honest.ts';

/** Thinks that even without nothing something is missing. */
export default withScorer('holder', (inner, { scores }) => ({
  without(query, _rated, spans, spanCount, out) {
    inner.score(query, spans, spanCount, out);
    for (let span = 0, at = out >>> 2; span < spanCount; span++)
      for (let row = spans[2 * span]; row < spans[2 * span + 1]; row++) scores[at++] -= 1;
  },
}));

export const breaks = ['without none of the ratings a score is what it is'];
