import { withScorer } from './honest.ts';

/** Explains with half of what there is. */
export default withScorer('half-truth', (inner) => ({
  explain: (query, item) => inner.explain(query, item).map((part) => ({ ...part, value: part.value / 2 })),
}));

export const breaks = ['an explanation adds up to the score, the greatest share first'];
