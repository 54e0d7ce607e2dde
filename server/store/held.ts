import { z } from 'zod';
import { STRETCHES_MAX, type Stretch, sharedUpTo } from './stretches.ts';

/** What came to a version of a model by files, also by way of the versions and the files that it was made of. */
export interface Held {
  /** What these had learned, as far as they said it. */
  readonly learned: readonly Stretch[];
  /** The SHA-256 of each, in hexadecimal, the latest last. */
  readonly files: readonly string[];
}

export const NOTHING_HELD: Held = { learned: [], files: [] };

/** Of earlier ones nothing is known any more. */
const FILES_MAX = 256;

const files = z.array(z.string().regex(/^[0-9a-f]{64}$/)).max(FILES_MAX);

/** All together; of a store that several have learned of, the one that has learned most. */
export function unite(...all: readonly Held[]): Held {
  const stretches = new Map<string, Stretch>();
  for (const stretch of all.flatMap(({ learned }) => learned)) {
    const before = stretches.get(stretch.store);
    stretches.delete(stretch.store);
    stretches.set(stretch.store, before && before.to > stretch.to ? before : stretch);
  }
  const names = new Set<string>();
  for (const name of all.flatMap((held) => held.files)) {
    names.delete(name);
    names.add(name);
  }
  return { learned: [...stretches.values()].slice(-STRETCHES_MAX), files: [...names].slice(-FILES_MAX) };
}

export const holdsNothing = ({ learned, files }: Held) => learned.length === 0 && files.length === 0;

/** Whether they have something in common. */
export function overlap(one: Held, other: Held): boolean {
  return sharedUpTo(one.learned, other.learned) > 0 || one.files.some((name) => other.files.includes(name));
}

/** Undefined: it is not what `JSON.stringify` makes of names of files. */
export function findFiles(value: unknown): readonly string[] | undefined {
  const parsed = files.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}
