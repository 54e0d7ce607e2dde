import { u32 } from '../contract/index.ts';

/** Of a row: how many drifts it has met, and how many ratings it had when it met the last one. */
export const driftRow = { drifts: u32(), before: u32() } as const;
