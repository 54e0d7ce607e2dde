import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { placeOf, scaffoldPlugin } from './plugin-scaffold.ts';
import { ServerProcess } from './server-process.ts';
import { makeFolder, run } from './testing/accrete.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const { folder: outside, remove } = await makeFolder();
mkdirSync(join(ROOT, 'build'), { recursive: true });
const inside = mkdtempSync(join(ROOT, 'build', 'scaffold-'));
after(async () => {
  rmSync(inside, { recursive: true });
  await remove();
});

/** Runs node as someone in `cwd` does; `NODE_TEST_CONTEXT` would make a test in a test silent. */
function node(args: readonly string[], cwd: string, more: Readonly<Record<string, string>> = {}) {
  const { NODE_TEST_CONTEXT: _nested, INIT_CWD: _here, ...env } = process.env;
  return spawnSync(process.execPath, args, { cwd, encoding: 'utf8', env: { ...env, ...more } });
}

for (const [what, place] of [
  ['in a checkout', inside],
  ['in a project of its own', outside],
] as const) {
  test(`a new plugin ${what} passes its test`, () => {
    const { folder } = scaffoldPlugin('fresh-mean', place);
    const { status, stdout } = node(['--test'], folder);
    assert.equal(status, 0, stdout);
    assert.match(stdout, /keeps the laws of plugins: defaults/);
  });
}

const { error: noNpm } = spawnSync('npm', ['--version']);
const skip = noNpm ? `npm is not there: ${noNpm.message}` : false;

test('elsewhere npm test runs its tests, whichever Node the machine has', { skip }, () => {
  const { folder } = scaffoldPlugin('npm-mean', outside);
  const { NODE_TEST_CONTEXT: _nested, PATH = '', ...env } = process.env;
  const path = PATH.split(':').filter((place) => !place.includes('node_modules'));
  const { status, stdout } = spawnSync('npm', ['test'], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...env, PATH: path.join(':') },
  });
  assert.equal(status, 0, stdout);
  assert.match(stdout, /keeps the laws of plugins: defaults/);
});

test('a new plugin elsewhere passes the laws, is served, and answers', async () => {
  const { stdout, code } = await run(['plugin', 'new', 'served-mean', '--at', outside, '--json']);
  assert.equal(code, 0);
  const made: { folder: string; serve: string } = JSON.parse(stdout);
  const path = join(made.folder, 'plugin.ts');
  const laws = node([join(ROOT, 'test/laws/plugins.test.ts')], ROOT, { LAWS_PLUGINS: path });
  assert.equal(laws.status, 0, laws.stdout);
  const server = await ServerProcess.start(outside, [
    '--listen=127.0.0.1:0',
    '--metrics.listen=off',
    `--models=./${relative(outside, path)}`,
  ]);
  for (const [item, value] of [
    ['tea', '5'],
    ['milk', '1'],
  ])
    await run(['rate', 'ada', item, value], server.address);
  const answer = await run(['recommend', 'ben', '--model', 'served-mean', '--json'], server.address);
  await server.stop();
  const { items, model } = JSON.parse(answer.stdout);
  assert.deepEqual([model, items.map(({ itemId }: { itemId: string }) => itemId)], ['served-mean', ['tea', 'milk']]);
  assert.match(made.serve, /^npx accrete serve --models \S+served-mean\/plugin\.ts --data /);
});

test('among the plugins of a checkout it is named by its name alone, and imports as they do', () => {
  const { importOf, serve } = placeOf('new-mean', join(ROOT, 'plugins', 'new-mean'), ROOT);
  assert.equal(importOf('plugins/contract/index.ts'), '../contract/index.ts');
  assert.equal(serve, 'npx accrete serve --models new-mean --data ./data-of-new-mean');
});

test('elsewhere in a checkout it imports by path', () => {
  const name = `scaffold-${process.pid}`;
  const folder = join(ROOT, 'build', name);
  try {
    const made = scaffoldPlugin(name, 'build', ROOT);
    assert.equal(made.test, `npm test -- build/${name}/plugin.test.ts`);
    assert.match(made.serve, new RegExp(`--models \\./build/${name}/plugin\\.ts`));
    const text = readFileSync(join(folder, 'plugin.ts'), 'utf8');
    assert.match(text, /from '\.\.\/\.\.\/plugins\/contract\/index\.ts'/);
    assert.match(text, new RegExp(`name: '${name}'`));
    assert.ok(!existsSync(join(folder, 'package.json')));
    const readme = readFileSync(join(folder, 'README.md'), 'utf8');
    assert.ok(readme.includes(made.serve) && readme.startsWith(`# ${name}\n`));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

const refused: [name: string, problem: RegExp][] = [
  ['My Plugin', /"My Plugin" is no name for a plugin: .*, such as my-plugin$/],
  ['9', /"9" is no name for a plugin: it takes a lower-case letter, then a-z, 0-9 and -$/],
  ['../x', /is no name .*, such as x$/],
  ['mf', /there is a plugin mf already/],
  ['fresh-mean', /fresh-mean exists: choose another name, or another place with --at/],
];

for (const [name, problem] of refused) {
  test(`the name ${name} is refused`, () => assert.throws(() => scaffoldPlugin(name, outside), { message: problem }));
}
