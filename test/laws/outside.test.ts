import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { makeFolder } from '../support/temporary-folder.ts';

/* The laws on plugins outside this repository: the one that docs/plugin-contract.md shows, in a project of its own. */

const LAWS = fileURLToPath(new URL('plugins.test.ts', import.meta.url));
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const document = readFileSync(join(ROOT, 'docs/plugin-contract.md'), 'utf8');
const shown = /```ts\n(.*?)```/s.exec(document)?.[1] ?? '';
const program = shown.replace('../contract/', new URL('../../plugins/contract/', import.meta.url).href);

const project = makeFolder({ after });
mkdirSync(join(project, 'node_modules'));
symlinkSync(join(ROOT, 'node_modules/zod'), join(project, 'node_modules/zod'));
writeFileSync(join(project, 'plugin.ts'), program);
install('item-mean', program);
install('first-item', program.replace('scores[at++] = meanOf(item)', '$& / (1 + span)'));

/** A package of JavaScript, as npm leaves it: Node strips no types there. */
function install(name: string, typescript: string): void {
  const folder = join(project, 'node_modules', name);
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, type: 'module', exports: './plugin.js' }));
  writeFileSync(join(folder, 'plugin.js'), stripTypeScriptTypes(typescript));
}

/** What the laws say when they are called from the project. */
function judge(specifiers: string): { readonly status: number | null; readonly output: string } {
  const { NODE_TEST_CONTEXT: _nested, INIT_CWD: _here, ...env } = process.env;
  const options = {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...env, INIT_CWD: project, LAWS_PLUGINS: specifiers },
  } as const;
  const { status, stdout } = spawnSync(process.execPath, [LAWS], options);
  return { status, output: stdout };
}

const found = {
  'a path from there': './plugin.ts',
  'a whole path': join(project, 'plugin.ts'),
  'a package that is installed there': 'item-mean',
  'a path and a plugin of this repository': './plugin.ts,popularity',
};
for (const [name, specifier] of Object.entries(found)) {
  test(`${name} keeps the laws`, () => {
    const { status, output } = judge(specifier);
    assert.equal(status, 0, output);
    for (const each of specifier.split(',')) assert.ok(output.includes(`${each}, defaults`), output);
  });
}

test('a package that breaks a law is found out', () => {
  const { status, output } = judge('first-item');
  assert.equal(status, 1);
  assert.match(output, /✖ the order of candidates is irrelevant/);
});

test('a package that is not there is refused by name', () => {
  const { status, output } = judge('no-such-plugin');
  assert.equal(status, 1);
  assert.match(output, /"no-such-plugin", which cannot be loaded/);
});
