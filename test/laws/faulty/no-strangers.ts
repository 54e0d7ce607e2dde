import { definePlugin, NO_ROW } from '../../../plugins/contract/index.ts';
import honest, { type HonestScoring, scorer } from './honest.ts';

/** Expects nothing of those whom it does not know. */
export default definePlugin({
  ...honest,
  name: 'no-strangers',
  scorer: (context: HonestScoring) => {
    const { score, predict } = scorer(context);
    return { score, predict: (query, item) => (query.user === NO_ROW ? 0 : (predict?.(query, item) ?? 0)) };
  },
});

export const breaks = ['an unknown user or item is normal, and every score finite'];
