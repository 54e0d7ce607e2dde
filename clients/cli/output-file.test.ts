import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { formatOf, OutputFile, OutputFiles } from './output-file.ts';
import { makeFolder } from './testing/accrete.ts';

const { folder, remove } = await makeFolder();
after(remove);

const TEXT = 'ada,tea,5\n'.repeat(100_000);

const compressed: { name: string; decompress: (bytes: Buffer) => Buffer }[] = [
  { name: 'plain.csv', decompress: (bytes) => bytes },
  { name: 'small.csv.gz', decompress: gunzipSync },
  { name: 'small.csv.zst', decompress: zstdDecompressSync },
];

for (const { name, decompress } of compressed) {
  test(`a file has its name when it is whole, and is compressed as that says: ${name}`, async () => {
    const path = join(folder, name);
    const file = new OutputFile(path, false);
    for (let n = 0; n < 10; n++) await file.write(TEXT);
    assert.ok(!(await readdir(folder)).includes(name));
    await file.complete();
    assert.ok(!(await readdir(folder)).includes(name));
    await file.publish();
    assert.equal(decompress(await readFile(path)).toString(), TEXT.repeat(10));
  });
}

test('a file that exists is not replaced unless it is to be', async () => {
  const path = join(folder, 'there.csv');
  await writeFile(path, 'old');
  assert.throws(() => new OutputFile(path, false), /there\.csv exists: name another file, or replace it by --force/);
  const file = new OutputFile(path, true);
  await file.write('new');
  assert.equal(await readFile(path, 'utf8'), 'old');
  await file.complete();
  await file.publish();
  assert.equal(await readFile(path, 'utf8'), 'new');
});

test('of several files none has its name before all are whole', async () => {
  const files = new OutputFiles();
  await files.open(join(folder, 'good.csv'), false).write(TEXT);
  assert.throws(() => files.open(join(folder, 'none', 'bad.csv'), false), /bad\.csv cannot be written \(ENOENT\)/);
  assert.ok(!(await readdir(folder)).includes('good.csv'));
  files.discard();
});

test('what is discarded leaves nothing behind', async () => {
  const before = await readdir(folder);
  const files = new OutputFiles();
  await files.open(join(folder, 'a.csv.gz'), false).write(TEXT);
  await files.open(join(folder, 'b.csv'), false).write(TEXT);
  files.discard();
  await new Promise(setImmediate);
  assert.deepEqual(await readdir(folder), before);
});

test('the format is what the name ends with', () => {
  const names = ['a.csv', 'a.TSV', 'a.jsonl.gz', 'a.ndjson.zst', 'a.csv.gz.zst', 'a.gz', 'a', '-', 'csv'];
  assert.deepEqual(names.map(formatOf), [
    'csv',
    'tsv',
    'jsonl',
    'jsonl',
    'csv',
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});

test('what is discarded at once leaves nothing', async () => {
  const before = await readdir(folder);
  new OutputFile(join(folder, 'early.csv'), false).discard();
  // By then a stream that opens its file by itself would have.
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.deepEqual(await readdir(folder), before);
});
