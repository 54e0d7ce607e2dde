import { HOPE } from '../../../plugins/contract/index.ts';
import { withScorer } from './honest.ts';

/** Hopes for less than it believes. */
export default withScorer('hopeless', ({ predict, score }) => ({
  explores: {
    by: 'posterior',
    hope: score,
    quantiles: (query, items, z, out) =>
      items.forEach((item, n) => {
        out.set(
          z.map((each) => predict(query, item) + each / HOPE),
          n * z.length,
        );
      }),
  },
}));

export const breaks = ['what is drawn is drawn by chances, and hope is one of what is believed'];
