import { withScorer } from './honest.ts';

/** Moves the vector of what was looked at last. */
export default withScorer('session-learner', (inner, { scores, tables }) => ({
  session(session, ...asked) {
    inner.session(session, ...asked);
    scores[tables.items.column('vector')(session.items[session.items.length - 1]) >>> 2] *= 1.0625;
  },
}));

export const breaks = [
  'reading makes no row and changes no byte',
  'scores of a batch are those of its parts',
  'the order of candidates is irrelevant',
];
