import { definePlugin, NO_ROW } from '../../../plugins/contract/index.ts';
import honest, { type HonestScoring, scorer } from './honest.ts';

/** Makes the first item a little better whenever a stranger looks. */
export default definePlugin({
  ...honest,
  name: 'writing-reader',
  scorer: (context: HonestScoring) => {
    const inner = scorer(context);
    return {
      ...inner,
      score: (query, ...asked) => {
        inner.score(query, ...asked);
        if (query.user !== NO_ROW) return;
        context.scores[context.tables.items.column('vector')(0) >>> 2] *= 1.25;
      },
    };
  },
});

export const breaks = ['reading makes no row and changes no byte'];
