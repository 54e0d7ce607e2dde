import type { z } from 'zod';
import type { keys } from './keys.ts';

export type Keys = z.output<typeof keys>;

/** What several keys must fulfil together. */
export interface Rule {
  /** The key that is blamed. */
  readonly path: readonly string[];
  /** The keys or sections that the rule looks at; it waits until each of them is right by itself. */
  readonly reads: readonly (keyof Keys)[];
  /** What is wrong, or undefined. */
  readonly findFault: (config: Keys) => string | undefined;
}
