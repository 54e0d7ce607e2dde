import { withScorer } from './honest.ts';

/** Explores more than always. */
export default withScorer('overeager', () => ({ explores: { by: 'epsilon', epsilon: 1.5 } }));

export const breaks = ['what is drawn is drawn by chances, and hope is one of what is believed'];
