// Brings a checkout up to date: packages, generated code, kernels; only what changed, and silent when nothing did.
// Plain JavaScript for Node 20, which may be all there is before the first install. Called by prepare.sh, which locks.

import { fileURLToPath } from 'node:url';
import { bringUpToDate } from './build.mjs';
import { ensureInstalled, requireNode } from './install.mjs';
import { kernelTargets } from './kernels.mjs';
import { protoTarget } from './proto.mjs';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
try {
  await ensureInstalled();
  requireNode();
  await bringUpToDate([protoTarget(), ...kernelTargets()]);
} catch (error) {
  console.error(`accrete: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
