import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { scaffoldPlugin } from '../clients/cli/plugin-scaffold.ts';
import { run } from '../clients/cli/testing/accrete.ts';
import type { Plugin } from '../plugins/contract/index.ts';
import { brokenLaws } from '../test/laws/laws.ts';
import { subjectsOf } from '../test/laws/subjects.ts';
import { TEST_CONFIG, TestServer } from '../test/support/server.ts';

/** Walks the guide as its reader does: writes its files in their order, and looks where the guide says what happens. */

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const FINISHED = new URL('examples/also-liked/', import.meta.url);
const guide = readFileSync(new URL('plugin-guide.md', import.meta.url), 'utf8');
/** Below the root, so that packages are found. */
const BUILD = `${ROOT}build/plugin-guide-${process.pid}/`;
mkdirSync(BUILD, { recursive: true });
after(() => rmSync(BUILD, { recursive: true }));

/** The folder as it is when the guide has come to a phrase, which is there once; `name` keeps modules of walks apart. */
function walkTo(phrase: string, name: string): string {
  assert.equal(guide.split(phrase).length, 2, `the guide says "${phrase}" once`);
  const [before] = guide.split(phrase);
  const { folder } = scaffoldPlugin('also-liked', BUILD + name, ROOT);
  rmSync(`${folder}/plugin.test.ts`);
  for (const [, file, code] of before.matchAll(/```ts ([\w.-]+)\n(.*?)```/gs))
    writeFileSync(`${folder}/${file}`, code.replaceAll("'../", "'../../../../"));
  return folder;
}

async function lawsBrokenIn(folder: string): Promise<string[]> {
  const plugin = ((await import(`${folder}/plugin.ts`)) as { default: Plugin }).default;
  const broken = new Set<string>();
  for (const subject of subjectsOf(plugin)) for (const law of await brokenLaws(subject)) broken.add(law);
  return [...broken];
}

test('the first try breaks the laws that the guide says', async () => {
  const [, said] = /```text\n(.*?)```/s.exec(guide) ?? [];
  assert.deepEqual(await lawsBrokenIn(walkTo('It does not. One law fails', 'first')), said?.trim().split('\n'));
});

test('the second keeps them all', async () => {
  assert.deepEqual(await lawsBrokenIn(walkTo('Now all laws hold', 'second')), []);
});

test('draws instead of signs leave a trace, as the guide says', async () => {
  const folder = walkTo('Now all laws hold', 'draws');
  const [signs, draws] = ['memory.f32[draw + k] < 0 ? -step : step', 'step * memory.f32[draw + k]'];
  const learner = readFileSync(`${folder}/learner.ts`, 'utf8');
  assert(learner.includes(signs));
  writeFileSync(`${folder}/learner.ts`, learner.replace(signs, draws));
  assert.deepEqual(await lawsBrokenIn(folder), ['a retraction that is promised to be exact leaves nothing']);
});

test('at the end there are the finished files, whose test runs beside this one', () => {
  const folder = walkTo('## Where to go on', 'end');
  const files = readdirSync(FINISHED).sort();
  assert.deepEqual(readdirSync(folder).sort(), [...files, 'README.md'].sort());
  for (const file of files) {
    const walked = readFileSync(`${folder}/${file}`, 'utf8').replaceAll("'../../../../", "'../../../");
    assert.equal(walked, readFileSync(new URL(file, FINISHED), 'utf8'), file);
  }
});

test('what it shows of plugins is what stands in them', () => {
  const shown = [...guide.matchAll(/```ts (plugins\/\S+)\n(.*?)```/gs)];
  assert(shown.length > 0);
  for (const [, file, code] of shown) assert(readFileSync(ROOT + file, 'utf8').includes(code), `${file} lacks ${code}`);
});

test('it is served alone, after its first steps, and answers as the guide asks', async (t) => {
  const folder = walkTo('It runs:', 'served');
  const models = [{ name: 'also-liked', plugin: `${folder}/plugin.ts` }];
  const server = await TestServer.start(t, { models });
  for (const [, command] of guide.matchAll(/^npx accrete (rate ada .*|rate ben .*)$/gm))
    assert.equal((await run(command.split(' '), server.address)).code, 0);
  const { items } = await server.client.recommend('ben');
  assert.deepEqual(
    items.map(({ itemId }) => itemId),
    ['cake'],
  );
});

test('beside other models it has the figures that the guide shows', async (t) => {
  const models = ['mf', 'popularity'].map((name) => ({ name, plugin: name }));
  const config = { models, rating: { min: 0.5 }, evaluation: { rankEvery: 100 } };
  assert(guide.includes('--rating.min 0.5 --evaluation.rankEvery 100'));
  const server = await TestServer.start(t, { ...TEST_CONFIG, ...config });
  const [, commands = ''] = /```sh\n(npx accrete import .*?)```/s.exec(guide) ?? [];
  let shown = '';
  for (const command of commands.trim().split('\n')) {
    const words = command.replace('./also-liked/', fileURLToPath(FINISHED)).split(' ').slice(2);
    const { code, stdout, stderr } = await run(words, server.address);
    assert.equal(code, 0, stderr);
    shown = stdout;
  }
  const rows = shown
    .trim()
    .split('\n')
    .map((line) => `| ${line.split('\t').slice(0, 4).join(' | ')} |`);
  assert(rows.length === 7, shown);
  for (const row of rows) assert(guide.includes(row), `the guide lacks ${row}`);
  const { code, stdout } = await run(['similar', '1', '--model', 'also-liked', '--json'], server.address);
  assert.equal(code, 0);
  assert.equal(JSON.parse(stdout).items.length, 10);
});
