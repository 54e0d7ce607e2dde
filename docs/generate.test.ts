import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { renderDocuments } from './generate.ts';

for (const [path, text] of await renderDocuments()) {
  test(`${path} is current (\`npm run docs\` makes it)`, () => {
    const written = readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
    assert(written === text, `${path} is stale: run \`npm run docs\``);
  });
}
