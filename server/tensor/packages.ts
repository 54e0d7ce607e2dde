import { createRequire } from 'node:module';

/**
 * Optional peers: packages that nobody has to install. They are looked for where the server's own are, and where
 * `npm run setup:tensorflow` and `npm run setup:webgpu` put them: a folder of its own, since an install of the server's
 * packages removes what it does not know.
 */
const PLACES = [import.meta.url, new URL('../../build/devices/package.json', import.meta.url).href];

/** Resolves a package, without loading it. */
export function findPackage(name: string): { readonly path: string; readonly load: () => unknown } | undefined {
  for (const place of PLACES) {
    const require = createRequire(place);
    try {
      const path = require.resolve(name);
      return { path, load: () => require(name) };
    } catch {
      // Not here.
    }
  }
  return undefined;
}
