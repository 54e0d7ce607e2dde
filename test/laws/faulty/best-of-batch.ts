import { withScorer } from './honest.ts';

/** Tells how alike items are by comparison with the first that is asked. */
export default withScorer('best-of-batch', (inner, { scores }) => ({
  similar(item, spans, spanCount, out) {
    inner.similar(item, spans, spanCount, out);
    const first = scores[out >>> 2];
    let at = out >>> 2;
    for (let span = 0; span < spanCount; span++) {
      for (let row = spans[2 * span]; row < spans[2 * span + 1]; row++) scores[at++] -= first;
    }
  },
}));

export const breaks = ['scores of a batch are those of its parts'];
