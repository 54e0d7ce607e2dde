/** How much one request may ask: `limits` of the configuration. */
export interface Limits {
  readonly messageBytes: number;
  readonly pageSize: number;
  readonly candidates: number;
}
