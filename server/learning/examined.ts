import type { ChangeAnswer } from '../exchange/messages.ts';

/** What an ask comes to: what is to be written, if anything, and what to answer besides the revision. */
export interface Examined extends Omit<ChangeAnswer, 'revision'> {
  /** Undefined: there is nothing to write. */
  readonly record: Uint8Array | undefined;
  /** What is to be done when that is learned, and what it adds to the answer. */
  readonly finish?: () => Promise<Partial<ChangeAnswer>>;
}
