import type { Peers } from './peer-models.ts';

/** How much one request may ask: `limits` of the configuration. */
export interface Limits {
  readonly messageBytes: number;
  readonly pageSize: number;
  readonly candidates: number;
  /** Whether LoadModel takes paths and packages, and not the plugins that the server has alone. */
  readonly anyPlugin: boolean;
  /** The servers whose models may be fetched. */
  readonly peers: Peers;
}
