/** The plugin contract: all that an algorithm needs to know of the server. */
export * from './address.ts';
export * from './device.ts';
export * from './drift.ts';
export * from './drift-detector.ts';
export * from './elementary.ts';
export * from './exploration.ts';
export * from './fusion.ts';
export * from './live-ratings.ts';
export * from './plugin.ts';
export * from './query.ts';
export * from './random.ts';
export * from './tables.ts';
export * from './tuning.ts';
