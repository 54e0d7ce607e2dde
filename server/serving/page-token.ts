/**
 * Tokens of pages: what was asked (`scope`), so that a token of another request is told apart, and where the page
 * before ended. Opaque to clients; they hold no secrets and need no memory of the server.
 */
export function makePageToken(scope: readonly string[], position: string | number): string {
  return Buffer.from(JSON.stringify([...scope, position])).toString('base64url');
}

/** The position of a token that `makePageToken` made for the same scope; undefined for any other. */
export function findPagePosition<Position extends string | number>(
  scope: readonly string[],
  token: string,
  isPosition: (position: unknown) => position is Position,
): Position | undefined {
  const parts = parse(token);
  const position = parts?.at(-1);
  const fits = parts?.length === scope.length + 1 && scope.every((part, n) => parts[n] === part);
  return fits && isPosition(position) ? position : undefined;
}

/** What a call says of a token that it did not make, or not for this request. */
export const WRONG_TOKEN = 'is not one that this call gave for this request: leave it empty for the first page';

export const isText = (position: unknown): position is string => typeof position === 'string';
/** Of a row, or of an arrival. */
export const isNumber = (position: unknown): position is number =>
  Number.isSafeInteger(position) && Number(position) >= 0;

/** The bytes of a token; undefined for other texts that would decode to the same, such as one with a blank in it. */
export function findTokenBytes(token: string): Buffer | undefined {
  const bytes = Buffer.from(token, 'base64url');
  return bytes.toString('base64url') === token ? bytes : undefined;
}

function parse(token: string): unknown[] | undefined {
  try {
    const parts: unknown = JSON.parse(String(findTokenBytes(token)));
    return Array.isArray(parts) ? parts : undefined;
  } catch {
    return undefined;
  }
}
