import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Plugin } from '../plugins/contract/index.ts';
import { brokenLaws } from '../test/laws/laws.ts';
import { subjectsOf } from '../test/laws/subjects.ts';

test('the plugin that the document shows keeps all laws, under every setting', async (context) => {
  const document = readFileSync(new URL('plugin-contract.md', import.meta.url), 'utf8');
  const [, program] = /```ts\n(.*?)```/s.exec(document) ?? [];
  assert(program);
  // Below the root, so that packages are found.
  const folder = new URL(`../build/plugin-contract-${process.pid}/`, import.meta.url);
  const file = new URL('plugin.ts', folder);
  mkdirSync(folder, { recursive: true });
  context.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(file, program.replace('../contract/', new URL('../plugins/contract/', import.meta.url).href));
  const plugin = ((await import(file.href)) as { default: Plugin }).default;
  for (const subject of subjectsOf(plugin)) assert.deepEqual(await brokenLaws(subject), [], subject.label);
});
