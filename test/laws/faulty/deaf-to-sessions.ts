import { NO_ROW } from '../../../plugins/contract/index.ts';
import { withScorer } from './honest.ts';

/** Answers every session as it answers a stranger. */
export default withScorer('deaf-to-sessions', (inner) => ({
  session: ({ time }, ...asked) => inner.score({ user: NO_ROW, time }, ...asked),
}));

export const breaks = ['a session is answered in its taste'];
