import { withScorer } from './honest.ts';

/** Gives the factors of the next item. */
export default withScorer('misfactored', ({ factors }, { tables }) => ({
  factors: { ...factors, ofItem: (item) => factors.ofItem((item + 1) % tables.items.rows) },
}));

export const breaks = ['factors multiply to the scores'];
