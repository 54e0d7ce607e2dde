import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pluginNames } from './subjects.ts';

/**
 * What a module specifier means to someone in `folder`, for `loadPlugin`: a plugin of this repository, a path from there,
 * or a package that is installed there. What is found in none of these ways is left as it is.
 */
export function locate(specifier: string, folder: string): string {
  if (pluginNames().includes(specifier)) return specifier;
  if (specifier.startsWith('.') || specifier.startsWith('/')) return resolve(folder, specifier);
  try {
    return createRequire(join(folder, 'here.js')).resolve(specifier);
  } catch {
    return specifier;
  }
}
