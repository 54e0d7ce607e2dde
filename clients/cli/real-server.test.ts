import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { ServerProcess } from './server-process.ts';
import { lastDocument, makeFolder, run, startServer } from './testing/accrete.ts';

/** The commands that other tests try on a server of their own making, on a real one. */

const { folder, remove } = await makeFolder();
let server: ServerProcess;

before(async () => {
  server = await startServer(folder);
  const rows = Array.from(
    { length: 1500 },
    (_, n) => `u${n % 30},i${(n * 7 + Math.floor(n / 30)) % 60},${1 + (n % 5)},${978_300_760 + n}\n`,
  );
  assert.equal((await run(['import', '-'], server.address, rows.join(''))).code, 0);
  const items = Array.from({ length: 60 }, (_, n) => `i${n},Title ${n} (${1990 + (n % 20)}),${n % 2 ? 'a|b' : 'a'}\n`);
  const path = join(folder, 'movies.csv');
  await writeFile(path, `movieId,title,genres\n${items.join('')}`);
  assert.match((await run(['import', '--items', path], server.address)).stdout, /^\d+ items added and \d+ replaced/);
});
after(async () => {
  await server.stop();
  await remove();
});

/** The document that a command prints. */
async function json<Document>(...args: string[]): Promise<Document> {
  const { code, stdout, stderr } = await run([...args, '--json'], server.address);
  assert.deepEqual([code, stderr], [0, '']);
  return lastDocument(stdout) as Document;
}

interface Items {
  readonly items: {
    readonly itemId: string;
    readonly attributes?: { readonly year: number };
    readonly explanation?: object;
  }[];
}

const yearOf = (itemId: string) => 1990 + (Number(itemId.slice(1)) % 20);

test('lists follow filters, sessions and likeness, page by page', async () => {
  const filter = 'attributes.year >= 2005 AND categories:"b"';
  const { items } = await json<Items>('items', '--filter', filter);
  assert.ok(
    items.length > 0 && items.every(({ itemId }) => yearOf(itemId) >= 2005 && Number(itemId.slice(1)) % 2 === 1),
  );
  const lists = [
    await json<Items>('recommend', 'u1', '--include-seen', '--filter', filter, '--explain'),
    await json<Items>('recommend', '--session', 'i1,i2', '--filter', filter, '--diversity', '0.3'),
    await json<Items>('similar', 'i0', '--filter', filter),
  ];
  for (const list of lists)
    assert.ok(list.items.length > 0 && list.items.every(({ itemId }) => yearOf(itemId) >= 2005));
  assert.ok(lists[0].items[0].explanation);
  const pages = await json<Items>('recommend', 'u1', '--include-seen', '--count', '7', '--pages', '3');
  assert.equal(new Set(pages.items.map(({ itemId }) => itemId)).size, 21);
});

test('scenarios and deleted items are in effect at once', async () => {
  await json('scenarios', 'put', 'few', '--count', '2', '--include-seen');
  const { items } = await json<Items>('recommend', 'u1', '--scenario', 'few');
  assert.equal(items.length, 2);
  await json('items', 'delete', items[0].itemId);
  const after = await json<Items>('recommend', 'u1', '--scenario', 'few');
  assert.ok(!after.items.some(({ itemId }) => itemId === items[0].itemId));
  await json('scenarios', 'delete', 'few');
  assert.deepEqual(await json('scenarios'), {});
});

test('lists for every user', async () => {
  const file = join(folder, 'lists.jsonl.gz');
  const { stderr } = await run(['recommend-batch', '--output', file, '--count', '3'], server.address);
  assert.match(stderr, /^lists for 30 users to /);
  assert.ok((await readFile(file)).length > 100);
});

test('models come, answer and go', async () => {
  const config = ['--config', 'halfLifeDays=30'];
  const loaded = await json<{ model: { state: string; config: object } }>(
    'models',
    'load',
    'recent',
    '--plugin',
    'popularity',
    ...config,
  );
  assert.equal(loaded.model.state, 'MODEL_STATE_AVAILABLE');
  assert.ok('halfLifeDays' in loaded.model.config);
  await json('models', 'default', 'recent');
  assert.equal((await json<{ model: string }>('recommend', 'u1')).model, 'recent');
  await json('models', 'default', 'mf');
  await json('models', 'unload', 'recent');
  const wrong = await run(['models', 'load', 'x', '--plugin', 'popularity', '--config', 'halfLife=3'], server.address);
  assert.match(wrong.stderr, /did you mean halfLifeDays/);
});

test('models are measured on what is held out', async () => {
  const args = ['evaluate', '--protocol', 'holdout', '--share', '0.2', '--metrics', 'ndcg@10', '--seed', '3'];
  const { code, stdout } = await run(args, server.address);
  assert.equal(code, 0);
  assert.match(
    stdout,
    /^model\tmetric\tsegment\tvalue\tcount\nmf\tndcg@10\tall\t0\.\d{4} \[0\.\d{4}, 0\.\d{4}\]\t300\n/,
  );
  assert.match(stdout, /\n\nmodel\tagainst\tmetric\tsegment\tdifference\tcount\npopularity\tmf\tndcg@10\tall\t/);
  const path = join(folder, 'report.html');
  assert.equal((await run([...args, '--html', path], server.address)).code, 0);
  assert.match(await readFile(path, 'utf8'), /<h2>Decision<\/h2>[\s\S]*<h2>Learning curves<\/h2>[\s\S]*<polyline/);
});
