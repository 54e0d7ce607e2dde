import type { ErrorReason } from '../../../server/errors.ts';
import type { Draws } from '../budget.ts';

/** What reads bytes that were kept, or that came from outside: each reads any bytes, or refuses them as it should. */

export interface Decoder {
  readonly samples: readonly Buffer[];
  /** What it may refuse bytes with. */
  readonly refuses: readonly (ErrorReason | string)[];
  readonly read: (bytes: Buffer, draws: Draws) => unknown;
}
