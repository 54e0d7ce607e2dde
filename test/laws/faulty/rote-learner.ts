import { definePlugin, NO_ROW } from '../../../plugins/contract/index.ts';
import honest, { type HonestScoring, scorer } from './honest.ts';

/** Knows what it was told, and nothing else. */
export default definePlugin({
  ...honest,
  name: 'rote-learner',
  scorer: (context: HonestScoring) => {
    const { history } = context;
    return {
      score: scorer(context).score,
      predict({ user }, item) {
        if (user === NO_ROW) return 3;
        for (let n = 0; n < history.userCount(user); n++) {
          const row = history.ofUser(user, n);
          if (history.item(row) === item) return history.value(row);
        }
        return 3;
      },
    };
  },
});

export const breaks = [
  'a withheld checkerboard is recovered',
  'a refit recovers a withheld checkerboard from the ratings alone',
];
