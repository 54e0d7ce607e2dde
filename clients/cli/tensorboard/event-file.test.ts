import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { BinaryReader } from '@bufbuild/protobuf/wire';
import { makeFolder } from '../../../test/support/temporary-folder.ts';
import { crc32c } from './crc32c.ts';
import { Curves } from './curves.ts';
import { EventFile } from './event-file.ts';

/** `test/deploy` reads such files by TensorBoard itself. */

test('the checksum is that of RFC 3720', () => {
  assert.equal(crc32c(Buffer.from('123456789')), 0xe306_9283);
  assert.equal(crc32c(new Uint8Array(32)), 0x8a91_36aa);
});

test('a file is records of their length, with figures by step', () => {
  const file = new EventFile(makeFolder({ after }), 1_700_000_000_500);
  file.add(300, { 'live/rmse': 0.5 }, 1_700_000_001_000);
  assert.match(file.path, /events\.out\.tfevents\.1700000000\.accrete\.\d+$/);
  const bytes = readFileSync(file.path);
  const length = Number(bytes.readBigUInt64LE(0));
  assert.equal(new BinaryReader(bytes.subarray(12, 12 + length)).len, length);
  assert(bytes.subarray(12, 12 + length).includes('brain.Event:2'));
  const second = bytes.subarray(16 + length);
  assert.equal(Number(second.readBigUInt64LE(0)) + 16, second.length);
  assert(second.includes('live/rmse'));
});

test('what a model has not moved since is not said again', () => {
  const folder = makeFolder({ after });
  const curves = new Curves(folder);
  for (const step of [0, 5, 5, 9]) curves.add('mf', step, step === 0 ? {} : { 'live/mae': 1 });
  curves.add('mean', 5, { 'live/mae': 1 });
  assert.equal(curves.runs, 2);
});
