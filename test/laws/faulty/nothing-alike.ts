import { NO_ROW } from '../../../plugins/contract/index.ts';
import { withScorer } from './honest.ts';

/** Divides by the length of what is not there. */
export default withScorer('nothing-alike', (inner, { scores }) => ({
  similar(item, spans, spanCount, out) {
    inner.similar(item, spans, spanCount, out);
    let at = out >>> 2;
    for (let span = 0; span < spanCount; span++) {
      for (let row = spans[2 * span]; row < spans[2 * span + 1]; row++) scores[at++] /= item === NO_ROW ? 0 : 1;
    }
  },
}));

export const breaks = ['an unknown user or item is normal, and every score finite'];
