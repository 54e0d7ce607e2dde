import type { Backend } from './backend.ts';

/** A way to a device. */
export interface Opening {
  readonly name: 'tensorflow' | 'webgpu';
  /** How to get it. */
  readonly remedy: string;
  /** Whether its packages are there; nothing is loaded. */
  isInstalled(): boolean;
  /** Throws why it cannot be used. */
  open(): Promise<Backend>;
}
