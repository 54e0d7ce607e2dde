/** Who rates what in sequences. */

export const USERS = ['ann-of-the-sequences', 'ben-of-the-sequences', 'cleo-of-the-sequences'];
export const ITEMS = ['alien', 'brazil', 'casino', 'dune'];

/**
 * Values of one of `USERS` are nobody else's: bytes that must be gone with the user. None is another one less a whole number,
 * as live errors are that are kept: of a rating where 1 or 5 was expected.
 */
export function valuesOf(user: string): number[] {
  return [0, 1, 2, 3].map((n) => Math.fround(1 + (USERS.indexOf(user) + 1) / 7 + n * 0.9371));
}

/** The value that is drawn as `value`; a rating has one always, an event of a kind need not. */
export function drawnValue(user: string, kind: string, value: number | undefined): number | undefined {
  const values = valuesOf(user);
  if (value !== undefined) return values[value - 1];
  return kind === '' ? values[2] : undefined;
}
