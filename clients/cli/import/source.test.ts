import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { openSource } from './source.ts';

const TEXT = Buffer.from('ada,tea,5\n'.repeat(50_000));
let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'accrete-source-'));
});
after(() => rm(folder, { recursive: true }));

async function read(
  bytes: Buffer,
  name = 'ratings.csv',
): Promise<{ text: Buffer; read: number; total: number | undefined }> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  const source = await openSource(path);
  const text = Buffer.concat(await Array.fromAsync(source.chunks));
  return { text, read: source.bytesRead(), total: source.bytesTotal };
}

const stored = [
  { what: 'plain', bytes: TEXT },
  { what: 'gzip', bytes: gzipSync(TEXT) },
  {
    what: 'gzip in two members',
    bytes: Buffer.concat([gzipSync(TEXT.subarray(0, 1000)), gzipSync(TEXT.subarray(1000))]),
  },
  { what: 'zstd', bytes: zstdCompressSync(TEXT) },
];

for (const { what, bytes } of stored) {
  test(`a file is read by what it is, not by its name: ${what}`, async () => {
    const found = await read(bytes);
    assert.ok(found.text.equals(TEXT));
    assert.deepEqual([found.read, found.total], [bytes.length, bytes.length]);
  });
}

test('files of a few bytes are plain', async () => {
  for (const text of ['', 'a', '\x1f']) assert.equal((await read(Buffer.from(text))).text.toString(), text);
});

test('a compressed file that is damaged or cut off is told so', async () => {
  const bytes = gzipSync(TEXT);
  await assert.rejects(read(bytes.subarray(0, -100)), {
    reason: 'DAMAGED_FILE',
    message: /cannot be decompressed: .* damaged or cut off/,
  });
  bytes.fill(0xff, 200, 300);
  await assert.rejects(read(bytes), { reason: 'DAMAGED_FILE' });
});

test('a file that is missing is the error of the system', async () => {
  await assert.rejects(openSource(join(folder, 'missing.csv')), { code: 'ENOENT' });
});
