import { refit, withRefit } from './honest.ts';

/** Takes a heavy rating for a step of any length. */
export default withRefit('refit-overshooting', function* (context) {
  yield* refit(context);
  const { history, memory, tables } = context;
  for (let row = 0; row < history.rows; row++) {
    if (history.weight(row) > 5) memory.f32[tables.users.column('vector')(history.user(row)) >>> 2] *= 100;
  }
});

export const breaks = ['a refit stays finite, whatever was sent'];
