import { HOPE } from '../../../plugins/contract/index.ts';
import { withScorer } from './honest.ts';

/** Hopes for less than it believes. */
export default withScorer('hopeless', ({ predict, score }) => ({
  explores: {
    by: 'posterior',
    hope: score,
    quantiles: (query, item, z, out) => out.set(z.map((each) => predict(query, item) + each / HOPE)),
  },
}));

export const breaks = ['what is drawn is drawn by chances, and hope is one of what is believed'];
