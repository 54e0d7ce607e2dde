import { refit, withRefit } from './honest.ts';

/** Makes a row for a user to come. */
export default withRefit('refit-maker', function* (context) {
  const users = context.tables.users as unknown as { readonly rows: number; grow(rows: number): void };
  users.grow(users.rows + 1);
  yield* refit(context);
});

export const breaks = [
  'a refit makes no row and writes nothing but its tables',
  'a refit can be left off, and all state is in tables then too',
];
