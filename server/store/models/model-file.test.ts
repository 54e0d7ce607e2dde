import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { makeFolder } from '../../../test/support/temporary-folder.ts';
import { openModelFile } from './model-file.ts';
import { METADATA, makeIds, makeModelBytes, TENSORS, withHeader, withTensor } from './testing/file-maker.ts';
import { refusalOf } from './testing/refusal.ts';

const path = join(makeFolder({ after }), 'made');

function open(bytes: Uint8Array) {
  writeFileSync(path, bytes);
  return openModelFile(path);
}

test('a file that somebody else wrote is read as it is', () => {
  const file = open(makeModelBytes());
  assert.deepEqual([file.plugin, file.config, file.stateVersion, file.file], ['mf', { k: 2 }, 3, 'made']);
  assert.deepEqual([[...file.users.texts()], file.users.rows], [['ann', '雪花'], 2]);
  assert.deepEqual([[...file.items.texts()], file.items.rows], [[], 0]);
  assert.deepEqual([...file.tables.keys()], ['users', 'model']);
  const users = file.tables.get('users');
  assert.deepEqual([users?.index, users?.rows, [...(users?.columns.keys() ?? [])]], ['user', 2, ['count', 'vector']]);
  const vector = users?.columns.get('vector');
  assert.deepEqual([vector?.type, vector?.width, vector?.read()], ['f32', 2, Float32Array.of(1, 2, 3, 0.25)]);
  assert.deepEqual(vector?.read(1, 2), Float32Array.of(3, 0.25));
  assert.deepEqual(users?.columns.get('count')?.read(), Uint32Array.of(7, 0xffff_ffff));
  assert.deepEqual(file.tables.get('model')?.columns.get('sum')?.read(), Float64Array.of(-0.5));
  assert.throws(() => vector?.read(1, 3), RangeError);
  file.close();
});

test('more ids than are read at once, and rows that are nobody’s', () => {
  const texts = Array.from({ length: 10_000 }, (_, n) => (n % 7 === 0 ? '' : `user ${n}`));
  const others = TENSORS.filter(({ name }) => !name.startsWith('ids.'));
  const file = open(makeModelBytes(METADATA, [...others, ...makeIds('users', texts)]));
  assert.deepEqual([...file.users.texts()], texts);
  file.close();
});

test('what is no model file says why', () => {
  const good = makeModelBytes();
  const header = (change: (json: string) => string) => withHeader(good, change);
  const metadata = (change: object) => makeModelBytes({ ...METADATA, ...change });
  const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
  open(metadata({ config: nested(32) })).close();
  const refusals: [bytes: Uint8Array, why: RegExp][] = [
    [Buffer.alloc(0), /has 0 bytes/],
    [Buffer.alloc(8, 0xff), /18446744073709551615 bytes, at most 1048576/],
    [good.subarray(0, 100), /ends within its header/],
    [good.subarray(0, -1), /its tensors end after/],
    [Buffer.concat([good, Buffer.of(0)]), /its tensors end after/],
    [header(() => '[]'), /no object/],
    [header(() => '{'), /cannot be read/],
    [header((json) => json.replace('"plugin"', '"plug\\u0069n":"a","plugin"')), /the key "plugin" twice/],
    [header((json) => json.replace('"table.model.sum"', '"table.users.count"')), /"table.users.count" twice/],
    [header((json) => json.replace('"F64"', '"BF16"')), /dtype "BF16": there may be F32/],
    [header((json) => json.replace('"shape":[1]', '"shape":[2]')), /8 bytes by its offsets, 16 by its shape/],
    [header((json) => json.replace('"shape":[1]', '"shape":[-1]')), /needs dtype, shape/],
    [header((json) => json.replace('"shape":[1]', '"shape":[9007199254740991,9007199254740991]')), /by its shape/],
    [header((json) => json.replace('[0,8]', '[8,16]')), /does not begin where/],
    [header((json) => json.replace('"mf"', '7')), /what is none/],
    [header((json) => json.replace('"mf"', '"\xff"')).map((byte) => (byte === 0xc3 ? 0xff : byte)), /cannot be read/],
    [metadata({ accrete: '2' }), /format is "2"/],
    [metadata({ plugin: '' }), /"plugin" has/],
    [metadata({ stateVersion: '-1' }), /"stateVersion"/],
    [metadata({ config: '[]' }), /"config" is no object/],
    [metadata({ config: '{"a":1,"a":1}' }), /"config" cannot be read: it has the key "a" twice/],
    [metadata({ config: nested(33) }), /"config" cannot be read: it is nested deeper than 32 levels/],
    [metadata({ config: nested(100_000) }), /"config" cannot be read: it is nested deeper than 32 levels/],
    [
      metadata({ tables: `${'['.repeat(200_000)}${']'.repeat(200_000)}` }),
      /"tables" cannot be read: it is nested deeper/,
    ],
    [metadata({ tables: '{"x":{"index":"row","rows":0}}' }), /"tables" maps/],
    [metadata({ tables: '{}' }), /"table.model.sum" is of no table/],
    [metadata({ tables: METADATA.tables.replace('}}', '},"b":{"index":"item","rows":0}}') }), /table b has no tensor/],
    [metadata({ tables: METADATA.tables.replace('2', '3') }), /table users has 3 rows, of 2/],
    [metadata({ tables: METADATA.tables.replace('"rows":1', '"rows":2') }), /one of a model has 1/],
    [metadata({ tables: METADATA.tables.replace('2', '1') }), /has the shape \[2\]: send \[1\]/],
    [makeModelBytes(METADATA, withTensor('table.users.count', { name: 'table.users.Count' })), /called as no column/],
    [makeModelBytes(METADATA, withTensor('table.users.count', { dtype: 'U8', shape: [8] })), /has dtype U8/],
    [makeModelBytes(METADATA, withTensor('table.users.count', { shape: [2, 1, 1] })), /has the shape \[2,1,1\]/],
    [makeModelBytes(METADATA, withTensor('ids.users.bytes', { name: 'ids.items.bytes' })), /need both/],
    [makeModelBytes(METADATA, withTensor('ids.users.bytes', { shape: [3, 3] })), /as U8 of one dimension/],
  ];
  for (const [bytes, why] of refusals) assert.match(refusalOf(path, () => {}, bytes) ?? 'nothing', why);
});

test('ids that do not follow each other are found when they are read', () => {
  const readIds = (starts: readonly bigint[]) => {
    const tensors = withTensor('ids.users.starts', { values: BigInt64Array.from(starts) });
    return refusalOf(path, (file) => [...file.users.keys()], makeModelBytes(METADATA, tensors)) ?? 'nothing';
  };
  assert.match(readIds([1n, 3n, 9n]), /do not follow each other in row 0/);
  assert.match(readIds([0n, 10n, 9n]), /do not follow each other in row 1/);
  assert.match(readIds([0n, 3n, 300n]), /longer than 256 bytes/);
  assert.match(readIds([0n, 3n, 20n]), /end after their bytes/);
  assert.match(readIds([0n, 3n, 8n]), /end before their bytes do/);
  assert.match(readIds([0n, 2n ** 62n, 9n]), /longer than 256/);
});
