import { withScorer } from './honest.ts';

/** Calls alike what is not. */
export default withScorer('opposites', (inner, { scores }) => ({
  similar(item, spans, spanCount, out) {
    inner.similar(item, spans, spanCount, out);
    let at = out >>> 2;
    for (let span = 0; span < spanCount; span++) {
      for (let row = spans[2 * span]; row < spans[2 * span + 1]; row++) scores[at++] *= -1;
    }
  },
}));

export const breaks = ['items that the same people like are alike'];
