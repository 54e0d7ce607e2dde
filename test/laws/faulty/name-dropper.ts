import { withScorer } from './honest.ts';

/** Explains by an item that nobody said to have rated. */
export default withScorer('name-dropper', (inner) => ({
  explain: (query, item) => [...inner.explain(query, item), { item: (item + 1) % 19, value: 0 }],
}));

export const breaks = ['an explanation names what the user rated and parts of the model, each once'];
