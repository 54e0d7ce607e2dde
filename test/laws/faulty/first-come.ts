import { definePlugin } from '../../../plugins/contract/index.ts';
import honest, { type HonestScoring, scorer } from './honest.ts';

/** Prefers what is asked first. */
export default definePlugin({
  ...honest,
  name: 'first-come',
  scorer: (context: HonestScoring) => {
    const inner = scorer(context);
    return {
      ...inner,
      score(query, spans, spanCount, out) {
        inner.score(query, spans, spanCount, out);
        let at = out >>> 2;
        for (let span = 0; span < spanCount; span++) {
          for (let row = spans[2 * span]; row < spans[2 * span + 1]; row++) context.scores[at++] -= span;
        }
      },
    };
  },
});

export const breaks = ['the order of candidates is irrelevant'];
