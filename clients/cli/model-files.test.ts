import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { lastDocument, makeFolder, run, startServer } from './testing/accrete.ts';

const { folder, remove } = await makeFolder();
const server = await startServer(folder);
const file = join(folder, 'popularity.safetensors');

before(async () => {
  for (const args of [
    ['ada', 'metropolis', '5'],
    ['ben', 'solaris', '4'],
  ])
    await run(['rate', ...args], server.address);
});
after(async () => {
  await server.stop();
  await remove();
});

test('a model is written to a file, which a server takes', async () => {
  const written = await run(['models', 'export', 'popularity', file], server.address);
  assert.match(
    written.stdout,
    /popularity.safetensors has popularity-1.safetensors: [\d.]+ \w+, sha256 [0-9a-f]{64}\n$/,
  );
  const again = await run(['models', 'export', 'popularity', file, '--force', '--json'], server.address);
  assert.deepEqual((lastDocument(again.stdout) as { file: string }).file, file);
  const imported = await run(['models', 'import', file], server.address);
  assert.equal(imported.stdout, 'popularity.safetensors is kept, with items (2, 32 B)\n', imported.stderr);
  const named = await run(['models', 'import', file, '--name', 'shard', '--json'], server.address);
  assert.equal((lastDocument(named.stdout) as { file: string }).file, 'shard');
  assert.deepEqual(readdirSync(join(folder, 'data', 'imports')).sort(), ['popularity.safetensors', 'shard']);
  assert.deepEqual(readFileSync(join(folder, 'data', 'imports', 'shard')), readFileSync(file));
  const listed = await run(['models', 'imports'], server.address);
  assert.match(listed.stdout, /^file\tsize\timported\npopularity.safetensors\t\d+ B\t\d{4}-\d\d-\d\dT.*\nshard\t/);
  const found = await run(['doctor', '--data', join(folder, 'data')], server.address);
  assert.match(found.stdout, /imports\/ holds popularity.safetensors \([\d.]+ \w+\), shard/);
});

test('what is wrong is told, and makes nothing', async () => {
  const damaged = join(folder, 'damaged');
  writeFileSync(damaged, readFileSync(file).subarray(0, -1));
  const large = join(folder, 'large');
  // More than the ways to the server take before it looks at the header.
  writeFileSync(large, Buffer.alloc(8 * 2 ** 20));
  const outcomes = {
    damaged: await run(['models', 'import', damaged], server.address),
    named: await run(['models', 'import', large, '--name', '../x'], server.address),
    other: await run(['models', 'import', large, '--name', 'shard'], server.address),
    foreign: await run(['models', 'import', large], server.address),
    missing: await run(['models', 'import', join(folder, 'gone')], server.address),
    piped: await run(['models', 'import', '/dev/null'], server.address),
    unknown: await run(['models', 'export', 'nothing', join(folder, 'x')], server.address),
    exists: await run(['models', 'export', 'popularity', file], server.address),
    version: await run(['models', 'export', 'popularity', join(folder, 'x'), '--kept', '9'], server.address),
  };
  assert.match(outcomes.damaged.stderr, /^accrete: FILE_FOREIGN: damaged is no model file: it has \d+ bytes, and its/);
  assert.match(outcomes.named.stderr, /^accrete: INVALID_FIELD: header.name is "..\/x"/);
  assert.match(outcomes.other.stderr, /^accrete: IMPORT_EXISTS: /);
  assert.match(outcomes.foreign.stderr, /^accrete: FILE_FOREIGN: large is no model file/);
  assert.match(outcomes.missing.stderr, /gone.*ENOENT|ENOENT.*gone/);
  assert.match(outcomes.piped.stderr, /\/dev\/null is no file/);
  assert.match(outcomes.unknown.stderr, /^accrete: MODEL_NOT_FOUND: /);
  assert.match(outcomes.exists.stderr, /replace it by --force/);
  assert.match(outcomes.version.stderr, /^accrete: VERSION_NOT_FOUND: /);
  assert.deepEqual(
    Object.values(outcomes).map(({ code }) => code),
    [1, 1, 1, 1, 1, 2, 1, 2, 1],
  );
  assert.ok(!existsSync(join(folder, 'x')));
  assert.deepEqual(readdirSync(join(folder, 'data', 'imports')).sort(), ['popularity.safetensors', 'shard']);
});

test('an import is removed, whether or not it is there', async () => {
  for (let n = 0; n < 2; n++) {
    const removed = await run(['models', 'imports', 'delete', 'shard'], server.address);
    assert.equal(removed.stdout, 'there is no import shard any more\n', removed.stderr);
  }
  const listed = await run(['models', 'imports', '--json'], server.address);
  const { imports } = lastDocument(listed.stdout) as { imports: { file: string }[] };
  assert.deepEqual(
    imports.map((each) => each.file),
    ['popularity.safetensors'],
  );
  const wrong = await run(['models', 'imports', 'delete', '../lock'], server.address);
  assert.match(wrong.stderr, /^accrete: INVALID_FIELD: file is no name/);
});
