import { withScorer } from './honest.ts';

/** Gives the vector of the next item. */
export default withScorer('misplaced', ({ vectors }, { tables }) => ({
  vectors: { width: vectors.width, of: (item) => vectors.of((item + 1) % tables.items.rows) },
}));

export const breaks = ['vectors are finite, and near for items that the same people like'];
