import assert from 'node:assert/strict';
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { makeFolder } from '../../../test/support/temporary-folder.ts';
import { checkModelFile } from './check.ts';
import { encodeHeader, LENGTH_BYTES } from './safetensors.ts';
import { METADATA, makeIds, makeModelBytes } from './testing/file-maker.ts';
import { refusalOf } from './testing/refusal.ts';

const path = join(makeFolder({ after }), 'made');

/** Looks at all of a file; why it is refused, or undefined. */
const check = (bytes?: Uint8Array) => refusalOf(path, (file) => checkModelFile(file, () => {}), bytes);

test('whatever byte of a file is another one, it is read, or refused as foreign', () => {
  const good = makeModelBytes();
  assert.equal(check(good), undefined);
  // In its place: to make a file anew for each takes longer than to look at it.
  const handle = openSync(path, 'r+');
  let refused = 0;
  for (let at = 0; at < good.length; at++) {
    for (const mask of [0x01, 0x20, 0x80, 0xff]) {
      writeSync(handle, Buffer.of(good[at] ^ mask), 0, 1, at);
      if (check() !== undefined) refused++;
    }
    writeSync(handle, good, at, 1, at);
  }
  // Most bytes are those of the header, and most of these matter.
  assert.ok(refused > good.length, `${refused} of ${4 * good.length}`);
  assert.equal(check(), undefined);
  for (let length = good.length - 1; length >= 0; length--) {
    ftruncateSync(handle, length);
    assert.ok(check(), `${length} bytes`);
  }
  closeSync(handle);
});

test('many ids, of which one stands twice', () => {
  const texts = Array.from({ length: 50_000 }, (_, n) => `user ${n}`);
  const fileOf = () => makeModelBytes({ ...METADATA, tables: '{}' }, makeIds('items', texts));
  assert.equal(check(fileOf()), undefined);
  texts[49_990] = texts[12];
  assert.match(check(fileOf()) ?? '', /items rows 12 and 49990 have the same id/);
});

test('a file much larger than what it takes of the memory', () => {
  const rows = 2 ** 26;
  const metadata = { ...METADATA, tables: `{"large":{"index":"pool","rows":${rows}}}` };
  const header = encodeHeader(metadata, [{ name: 'table.large.value', dtype: 'F32', shape: [rows] }]);
  const handle = openSync(path, 'w');
  writeSync(handle, header);
  ftruncateSync(handle, header.length + 4 * rows);
  closeSync(handle);
  const before = process.resourceUsage().maxRSS;
  assert.equal(check(), undefined);
  assert.ok(process.resourceUsage().maxRSS - before < 96 * 1024, 'of 256 MiB');
  const last = openSync(path, 'r+');
  writeSync(last, Buffer.from(Float32Array.of(Number.NaN).buffer), 0, 4, header.length + 4 * (rows - 1));
  closeSync(last);
  assert.match(check() ?? '', /row 67108863 of the tensor table.large.value has NaN/);
  assert.equal(header.length % 8, LENGTH_BYTES % 8, 'numbers are aligned');
});
