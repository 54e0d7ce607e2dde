import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { renderDashboard } from '../deploy/observability/dashboard.ts';
import { renderReference } from '../server/config/reference.ts';
import { renderDecisions } from './decisions-index.ts';
import { renderPlugins } from './plugins-reference.ts';

/** Writes the documents that are made from the code (`npm run docs`). With `--check` it fails when one is stale instead. */

/** The documents by their path from the repository's root. */
export async function renderDocuments(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ...renderReference(),
    ['deploy/observability/dashboard.json', renderDashboard()],
    ['docs/plugins.md', await renderPlugins()],
    ['docs/decisions/README.md', renderDecisions()],
  ]);
}

async function main(check: boolean): Promise<void> {
  for (const [path, text] of await renderDocuments()) {
    const file = new URL(`../${path}`, import.meta.url);
    if (existsSync(file) && readFileSync(file, 'utf8') === text) continue;
    if (!check) writeFileSync(file, text);
    console.log(check ? `${path} is stale: run \`npm run docs\`` : `wrote ${path}`);
    if (check) process.exitCode = 1;
  }
}

if (import.meta.main) await main(process.argv.includes('--check'));
