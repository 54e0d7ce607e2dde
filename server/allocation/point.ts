import { bigWord, digestOf } from './digest.ts';

/**
 * Where a unit falls: a whole number from 0 to 2^32 - 1, the first four bytes, big-endian, of SHA-256 over the salt, a zero
 * byte and the unit, each in UTF-8. `test/data/allocation-vectors.json` has examples, so that any client can tell it too.
 */

/** How many points there are. */
export const POINTS = 2 ** 32;

export function pointOf(salt: string, unit: string): number {
  return bigWord(digestOf(`${salt}\0${unit}`), 0);
}

/** The salt by which the experiments of a layer divide its units; no experiment has one that begins alike. */
export function layerSalt(layer: string): string {
  return `${LAYER_PREFIX}${layer}`;
}

export const LAYER_PREFIX = 'layer:';
