import { u32 } from '../contract/index.ts';

/**
 * Of a row: how many drifts it has met, and how many ratings it had before what the last one was suspected by; the stretch of
 * its last rating, from 1, and how many ratings it had before that.
 */
export const driftRow = { drifts: u32(), before: u32(), stretch: u32(), earlier: u32() } as const;
