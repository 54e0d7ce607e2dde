import { refit, withRefit } from './honest.ts';

/** Says that it is nearly done, then how far it has come. */
export default withRefit('refit-boaster', function* (context) {
  yield 0.9;
  yield* refit(context);
});

export const breaks = ['a refit says how far it has come'];
