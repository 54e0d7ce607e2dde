import { added, f64, u32 } from '../contract/index.ts';

/**
 * Of a row: how many drifts it has met, and how many ratings it had before what the last one was suspected by; the stretch of
 * its last rating, from 1, and how many ratings it had before that.
 */
export const driftRow = { drifts: u32(), before: u32(), stretch: u32(), earlier: u32() } as const;

/** Beside the Bayesian base: f of a user, and d of an item, with their variances (`moves.ts`). */
export const movesUser = { follow: added(f64()), followVariance: added(f64()) } as const;
export const movesItem = { move: added(f64()), moveVariance: added(f64()) } as const;
