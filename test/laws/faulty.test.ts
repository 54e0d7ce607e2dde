import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import type { Plugin } from '../../plugins/contract/index.ts';
import honest from './faulty/honest.ts';
import { brokenLaws, laws } from './laws.ts';
import { subjectsOf } from './subjects.ts';

/* No law is trusted until it was seen failing: each planted fault breaks the laws that it names, and no other. */

interface Fault {
  readonly default: Plugin;
  readonly breaks: readonly string[];
}

const folder = new URL('faulty/', import.meta.url);
const files = readdirSync(folder).filter((name) => name !== 'honest.ts');
const faults: Fault[] = await Promise.all(files.map((name) => import(new URL(name, folder).href)));

test('the honest plugin breaks no law', async () => {
  for (const subject of subjectsOf(honest as unknown as Plugin))
    assert.deepEqual(await brokenLaws(subject), [], subject.label);
});

for (const { default: plugin, breaks } of faults) {
  test(`${plugin.name} breaks what it is meant to break`, async () => {
    const [defaults] = subjectsOf(plugin);
    assert.deepEqual(await brokenLaws(defaults), breaks);
  });
}

test('every law has a plugin that breaks it', () => {
  const broken = new Set(faults.flatMap(({ breaks }) => breaks));
  const never = laws.map(({ name }) => name).filter((name) => !broken.has(name));
  assert.deepEqual(never, []);
});
