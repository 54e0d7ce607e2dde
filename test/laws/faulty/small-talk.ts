import { withScorer } from './honest.ts';

/** Begins with what matters least. */
export default withScorer('small-talk', (inner) => ({
  explain: (query, item) => inner.explain(query, item).toReversed(),
}));

export const breaks = ['an explanation adds up to the score, the greatest share first'];
