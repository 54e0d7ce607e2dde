import { refit, withRefit } from './honest.ts';

/** Draws from the engine while it refits. */
export default withRefit('refit-dice', function* (context) {
  yield* refit(context);
  const { memory, tables } = context;
  memory.f32[tables.users.column('vector')(0) >>> 2] += 1e-3 * Math.random();
});

export const breaks = [
  'a refit gives the same bytes again',
  'a refit gives the same bytes when its device fails half way',
];
