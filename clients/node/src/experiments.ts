import { createHash } from 'node:crypto';
import type { Experiment, Slice } from './gen/accrete/v1/experiment.ts';

/** What of an experiment says who gets which arm. */
export type Allocation = Pick<Experiment, 'salt' | 'layer' | 'layerSlices'> & {
  readonly arms: readonly Pick<Experiment['arms'][number], 'name' | 'slices'>[];
};

/**
 * Where a unit (a user id, usually) lies in [0, 2^32), as the server computes it: the first 4 bytes, big-endian, of SHA-256
 * of salt, NUL and unit.
 */
export function point(salt: string, unit: string): number {
  return createHash('sha256').update(`${salt}\0${unit}`).digest().readUInt32BE();
}

/**
 * The name of the arm that a unit gets while the experiment runs, which is as `getExperiment` answers it; undefined: it is
 * not part of it. What `eligibleFilter` says of the unit is not looked at.
 */
export function arm({ salt, layer, layerSlices, arms }: Allocation, unit: string): string | undefined {
  if (!has(layerSlices, point(`layer:${layer}`, unit))) return undefined;
  const here = point(salt, unit);
  return arms.find(({ slices }) => has(slices, here))?.name;
}

function has(slices: readonly Slice[], here: number): boolean {
  return slices.some(({ from, to }) => from <= here && here < to);
}
