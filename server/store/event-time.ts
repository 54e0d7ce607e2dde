/** Times that may be sent. */

export const AHEAD_MAX_MS = 24 * 3600 * 1000;
const NANOS_MAX = 999_999_999;

/** What is wrong with `seconds` since 1970 and `nanos`, after the name of the field; undefined: nothing. */
export function timeFault(seconds: number, nanos: number, nowMs: number): string | undefined {
  if (nanos < 0 || nanos > NANOS_MAX) return `has ${nanos} nanoseconds: they must be 0 to ${NANOS_MAX}`;
  if (seconds < 0) return `is ${-seconds} seconds before 1970: times from 1970 on are allowed`;
  if (seconds * 1000 + nanos / 1e6 <= nowMs + AHEAD_MAX_MS) return undefined;
  const ahead = Math.round(seconds - nowMs / 1000);
  return `is ${ahead} seconds ahead of this server: ${AHEAD_MAX_MS / 1000} are allowed`;
}
