import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ImportServiceService } from '../../proto/gen/accrete/v1/import.ts';
import { ModelServiceService } from '../../proto/gen/accrete/v1/model.ts';
import { METADATA, makeModelBytes, TENSORS, withTensor } from '../../server/store/models/testing/file-maker.ts';
import { importModel } from '../support/model-files.ts';
import { TestServer } from '../support/server.ts';
import { failureOf } from '../support/status.ts';

/** Files that cannot be imported: a clear status, and nothing is changed. */

const config = { imports: { max: 3, totalMiB: 1, idleMs: 5000 } };
const server = await TestServer.start({ after }, config);
const { client } = server;
const good = makeModelBytes();
const imports = join(server.data, 'imports');
const kept = () => (existsSync(imports) ? readdirSync(imports).sort() : []);

async function refusalOf(promise: Promise<unknown>): Promise<string> {
  const before = kept();
  const { code, reason, message } = await failureOf(promise);
  assert.deepEqual(kept(), before);
  return `${code} ${reason}: ${message}`;
}

test('a file that somebody made is kept as it is; the same again is accepted, another of its name is not', async () => {
  assert.deepEqual(await importModel(client, 'made', good), {
    file: 'made',
    tables: [
      { name: 'users', rows: 2n, bytes: 24n, hash: '' },
      { name: 'model', rows: 1n, bytes: 8n, hash: '' },
    ],
  });
  assert.deepEqual(readFileSync(join(imports, 'made')), good);
  assert.equal((await importModel(client, 'made', good)).file, 'made');
  const longer = makeModelBytes({ ...METADATA, more: 'x'.repeat(80) });
  assert.match(await refusalOf(importModel(client, 'made', longer)), /^ALREADY_EXISTS IMPORT_EXISTS: .*another name/);
  const alike = makeModelBytes(METADATA, withTensor('table.model.sum', { values: Float64Array.of(2) }));
  assert.match(await refusalOf(importModel(client, 'made', alike)), /^ALREADY_EXISTS IMPORT_EXISTS: /);
});

test('names that are no names, and headers that say too little', async () => {
  for (const name of ['', '.', '..', '.x', 'a/b', '../x', '/x', 'a\\b', 'a\0b', 'ä', 'a b', 'x'.repeat(129)])
    assert.match(
      await refusalOf(importModel(client, name, good)),
      /^INVALID_ARGUMENT INVALID_FIELD: header.name /,
      name,
    );
  assert.match(await refusalOf(importModel(client, 'x', good, { bytes: 0n })), /header.bytes is 0: send/);
  assert.match(await refusalOf(importModel(client, 'x', good, { bytes: -1n })), /header.bytes is -1: send/);
  assert.match(await refusalOf(importModel(client, 'x', good, { sha256: 'ab' })), /header.sha256 is not/);
});

test('streams that are not a header and the bytes that it says', async () => {
  const header = { name: 'x', bytes: BigInt(good.length), sha256: '0'.repeat(64) };
  const [first, chunk] = [
    { content: { $case: 'header', value: header } as const },
    { content: { $case: 'chunk', value: good } as const },
  ];
  assert.match(await refusalOf(client.send(ModelServiceService.importModel, [])), /INVALID_FIELD: header is missing/);
  assert.match(
    await refusalOf(client.send(ModelServiceService.importModel, [chunk])),
    /INVALID_FIELD: header is missing/,
  );
  assert.match(
    await refusalOf(client.send(ModelServiceService.importModel, [first, first])),
    /INVALID_FIELD: chunk is missing/,
  );
  assert.match(
    await refusalOf(client.send(ModelServiceService.importModel, [first, { content: undefined }])),
    /chunk is missing/,
  );
  assert.match(
    await refusalOf(client.send(ModelServiceService.importModel, [first, chunk, chunk])),
    /INVALID_FIELD: header.bytes is/,
  );
  const large = { content: { $case: 'chunk', value: Buffer.alloc(256 * 1024 + 1) } as const };
  assert.match(
    await refusalOf(client.send(ModelServiceService.importModel, [first, large])),
    /INVALID_FIELD: chunk has 262145 bytes/,
  );
  assert.match(
    await refusalOf(client.send(ModelServiceService.importModel, [first])),
    /^DATA_LOSS FILE_DAMAGED: .* 0 bytes came of/,
  );
  assert.match(
    await refusalOf(client.send(ModelServiceService.importModel, [first, chunk])),
    /^DATA_LOSS FILE_DAMAGED: .*SHA-256/,
  );
});

test('what is in it', async () => {
  const { NaN: nan, POSITIVE_INFINITY: infinite } = Number;
  const ids = (text: string, starts: readonly bigint[]) => {
    const values = new TextEncoder().encode(text);
    const others = TENSORS.filter(({ name }) => !name.startsWith('ids.'));
    return makeModelBytes(METADATA, [
      ...others,
      { name: 'ids.users.starts', dtype: 'I64', shape: [starts.length], values: BigInt64Array.from(starts) },
      { name: 'ids.users.bytes', dtype: 'U8', shape: [values.length], values },
    ]);
  };
  const files: [bytes: Buffer, why: RegExp][] = [
    [Buffer.from('no model at all'), /header has \d+ bytes, at most 1048576/],
    [makeModelBytes({ ...METADATA, tables: '' }), /"tables" cannot be read/],
    [makeModelBytes(METADATA, withTensor('table.model.sum', { values: Float64Array.of(nan) })), /row 0 .*NaN/],
    [
      makeModelBytes(METADATA, withTensor('table.users.vector', { values: Float32Array.of(0, 1, 2, -infinite) })),
      /row 1 of the tensor table.users.vector has -Infinity/,
    ],
    [ids('annann', [0n, 3n, 6n]), /users rows 0 and 1 have the same id/],
    [ids('an\x7fben', [0n, 3n, 6n]), /users row 0 has control characters/],
    [ids('éé', [0n, 1n, 4n]), /users row 0 is no UTF-8/],
    [ids('annben', [0n, 4n, 3n]), /users do not follow each other/],
  ];
  for (const [bytes, why] of files) {
    const refusal = await refusalOf(importModel(client, 'x', bytes));
    assert.match(refusal, /^INVALID_ARGUMENT FILE_FOREIGN: x is no model file: .*docs\/model-files.md/);
    assert.match(refusal, why);
  }
  // Of nobody there may be many.
  assert.equal((await importModel(client, 'nobody', ids('', [0n, 0n, 0n]))).tables.length, 2);
  rmSync(join(imports, 'nobody'));
});

test('only so many, and of so much together; what is removed makes room', async () => {
  const bytes = makeModelBytes({ ...METADATA, more: 'x'.repeat(400_000) });
  await importModel(client, 'a', bytes);
  await importModel(client, 'b', bytes);
  assert.match(await refusalOf(importModel(client, 'c', good)), /^RESOURCE_EXHAUSTED IMPORTS_FULL: .*imports.max/);
  assert.equal((await importModel(client, 'a', bytes)).file, 'a', 'the same again');
  rmSync(join(imports, 'made'));
  assert.match(
    await refusalOf(importModel(client, 'c', bytes)),
    /^RESOURCE_EXHAUSTED IMPORTS_FULL: .*imports.totalMiB/,
  );
  assert.equal((await importModel(client, 'c', good)).file, 'c');
  for (const name of ['b', 'c']) rmSync(join(imports, name));
  const cut = new AbortController();
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const header = { $case: 'header', value: { name: 'a', bytes: BigInt(bytes.length), sha256 } } as const;
  const again = client
    .send(ModelServiceService.importModel, [{ content: header }], { signal: cut.signal, isOpen: true })
    .catch((error) => error);
  const isComing = () =>
    importModel(client, 'a', bytes).then(
      () => false,
      () => true,
    );
  while (!(await isComing())) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal((await importModel(client, 'b', bytes)).file, 'b', 'what comes again is counted once');
  cut.abort();
  await again;
  while (await isComing()) await new Promise((resolve) => setTimeout(resolve, 10));
  for (const name of ['a', 'b']) rmSync(join(imports, name));
});

test('what is kept is listed by pages, and removed, whether or not it is there', async (t) => {
  const { client: other } = await TestServer.start(t);
  for (const name of ['b', 'a', 'c']) await importModel(other, name, good);
  const listed = [];
  for (let pageToken = ''; ; ) {
    const page = await other.call(ImportServiceService.listImports, { pageSize: 2, pageToken });
    listed.push(page.imports.map(({ file, bytes }) => [file, Number(bytes)]));
    pageToken = page.nextPageToken;
    if (pageToken === '') break;
    assert.ok(Math.abs(Number(page.imports[0].createTime?.seconds) - Date.now() / 1000) < 600);
  }
  const size = good.length;
  assert.deepEqual(listed, [
    [
      ['a', size],
      ['b', size],
    ],
    [['c', size]],
  ]);
  for (let n = 0; n < 2; n++) await other.call(ImportServiceService.deleteImport, { file: 'b' });
  const { imports: left } = await other.call(ImportServiceService.listImports, { pageSize: 0, pageToken: '' });
  assert.deepEqual(
    left.map(({ file }) => file),
    ['a', 'c'],
  );
  for (const file of ['', '.', '../journal', 'a/b', '.new-x'])
    assert.match(
      await refusalOf(other.call(ImportServiceService.deleteImport, { file })),
      /^INVALID_ARGUMENT INVALID_FIELD: file is no name/,
    );
  for (const page of [
    { pageSize: -1, pageToken: '' },
    { pageSize: 0, pageToken: 'x' },
  ])
    assert.match(await refusalOf(other.call(ImportServiceService.listImports, page)), /INVALID_FIELD: page_/);
});

test('who goes away leaves nothing; of those who come at once only so many are taken', async () => {
  const cuts: AbortController[] = [];
  const begin = (name: string) => {
    const cut = new AbortController();
    cuts.push(cut);
    const header = { name, bytes: 1000n, sha256: '0'.repeat(64) };
    const requests = [
      { content: { $case: 'header', value: header } as const },
      { content: { $case: 'chunk', value: good.subarray(0, 100) } as const },
    ];
    return client
      .send(ModelServiceService.importModel, requests, { signal: cut.signal, isOpen: true })
      .catch((error) => error);
  };
  const before = kept();
  const begun = [begin('d'), begin('e')];
  while (kept().length < before.length + 2) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.match(await refusalOf(importModel(client, 'e', good)), /^ABORTED MODEL_CHANGING: /);
  assert.match(await refusalOf(importModel(client, 'f', good)), /^RESOURCE_EXHAUSTED JOBS_FULL: .*jobs.max/);
  for (const cut of cuts) cut.abort();
  await Promise.all(begun);
  while (kept().length > before.length) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal((await importModel(client, 'd', good)).file, 'd');
});

test('a client that sends nothing any more gives its place to others', async (t) => {
  const idle = await TestServer.start(t, { imports: { idleMs: 500 }, jobs: { max: 4 } });
  const header = { name: 'x', bytes: BigInt(good.length), sha256: '0'.repeat(64) };
  const first = { content: { $case: 'header', value: header } as const };
  const chunk = (bytes: Buffer) => ({ content: { $case: 'chunk', value: bytes } as const });
  const send = (...requests: object[]) =>
    failureOf(idle.client.send(ModelServiceService.importModel, requests as never, { isOpen: true }));
  let isOver = false;
  const nothing = async function* () {
    yield first;
    while (!isOver) {
      yield chunk(Buffer.alloc(0));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  // A byte now and then.
  const drips = async function* () {
    yield { content: { $case: 'header', value: { ...header, name: 'z', bytes: 10_000n } } as const };
    while (!isOver) {
      yield chunk(Buffer.alloc(1));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const failures = await Promise.all([
    failureOf(idle.client.send(ModelServiceService.importModel, drips())),
    send(),
    send({ content: { $case: 'header', value: { ...header, name: 'y' } } }, chunk(good.subarray(0, 10))),
    failureOf(idle.client.send(ModelServiceService.importModel, nothing())),
  ]);
  isOver = true;
  for (const { code, reason, message } of failures) {
    assert.deepEqual([code, reason], ['ABORTED', 'IMPORT_IDLE']);
    assert.match(message, /Too little came of the model file for 500 ms/);
  }
  assert.deepEqual(readdirSync(join(idle.data, 'imports')), []);
  // Whoever sends slowly is waited for.
  const pieces = [0, 1, 2, 3, 4].map((n) => good.subarray((n * good.length) / 5, ((n + 1) * good.length) / 5));
  const slow = async function* () {
    const sha256 = createHash('sha256').update(good).digest('hex');
    yield { content: { $case: 'header', value: { ...header, sha256 } } as const };
    for (const piece of pieces) {
      await new Promise((resolve) => setTimeout(resolve, 150));
      yield chunk(piece);
    }
  };
  assert.equal((await idle.client.send(ModelServiceService.importModel, slow())).file, 'x');
});

test('a start removes what a process that was killed had not finished, and keeps the others', async () => {
  const before = kept();
  mkdirSync(imports, { recursive: true });
  writeFileSync(join(imports, '.new-left'), 'x');
  await server.restart();
  assert.deepEqual(kept(), before);
});
