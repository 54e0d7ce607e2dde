import { withScorer } from './honest.ts';

/** Remembers sessions: every one is answered with those before it. */
export default withScorer('long-memory', (inner, { scores }) => {
  let asked = 0;
  return {
    session(session, spans, spanCount, out) {
      inner.session(session, spans, spanCount, out);
      scores[out >>> 2] += asked++;
    },
  };
});

export const breaks = ['scores of a batch are those of its parts', 'the order of candidates is irrelevant'];
