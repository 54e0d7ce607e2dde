import { withScorer } from './honest.ts';

/** Counts its explanations in the memory of the model. */
export default withScorer('writing-explainer', (inner, { scores, tables }) => ({
  explain(query, item) {
    const parts = inner.explain(query, item);
    scores[tables.items.column('vector')(item) >>> 2] += 2 ** -12;
    return parts;
  },
}));

export const breaks = [
  'reading makes no row and changes no byte',
  'an explanation adds up to the score, the greatest share first',
];
