import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { ListModelsRequest, ModelServiceService } from '../../proto/gen/accrete/v1/model.ts';
import { Connection } from './connection.ts';
import { parseColumns } from './import/columns.ts';
import { Import, type ImportOptions, type ImportSummary } from './import/import.ts';
import type { PrequentialError } from './import/prequential.ts';
import type { ServerProcess } from './server-process.ts';
import { ended, makeFolder, run, runProcess, start, startServer } from './testing/accrete.ts';

const { folder, remove } = await makeFolder();
let server: ServerProcess;

before(async () => {
  server = await startServer(folder);
});
after(async () => {
  await server.stop();
  await remove();
});

let files = 0;
/** Different in every test, so that no batch of one is a duplicate of another's. */
const rowsOf = (count: number, prefix = `t${++files}-`) =>
  Array.from({ length: count }, (_, n) => [
    `${prefix}${n % 50}`,
    `i${n % 211}`,
    String(1 + (n % 5)),
    String(978_300_760 + n),
  ]);
const csv = (rows: readonly string[][]) => rows.map((row) => `${row.join(',')}\n`).join('');

const jsonLines = (rows: readonly string[][]) =>
  rows
    .map(([user_id, item, value, event_time]) => `${JSON.stringify({ value, event_time, user_id, item })}\n`)
    .join('');

async function fileOf(content: string | Buffer): Promise<string> {
  const path = join(folder, `ratings-${++files}.csv`);
  await writeFile(path, content);
  return path;
}

/** Imports a file without a process of its own. */
async function importFile(path: string, options: Partial<ImportOptions> = {}): Promise<ImportSummary> {
  const connection = new Connection(server.address, 30_000);
  const progress = { update: () => {}, stop: () => {} };
  try {
    return await new Import(connection, { path, batch: 500, onError: 'stop', ...options }, progress).run();
  } finally {
    connection.close();
  }
}

async function learnedCount(): Promise<number> {
  const connection = new Connection(server.address, 30_000);
  const { models } = await connection.call(ModelServiceService.listModels, ListModelsRequest.fromPartial({}));
  connection.close();
  return Number(models[0].learnedCount);
}

test('the error that the client computes from predictions is the one that the server counts', async () => {
  // The first test: the server has counted nothing else.
  assert.equal(await learnedCount(), 0);
  const rows = rowsOf(4000);
  const edits = rows.slice(0, 100).map(([user, item, , time]) => [user, item, '2', time]);
  const predict = async (...parts: string[][][]): Promise<PrequentialError> => {
    const path = await fileOf(csv(parts.flat()));
    const { stdout } = await run(['import', path, '--predictions', 'mf', '--json'], server.address);
    return JSON.parse(stdout).summary.predictions;
  };
  const { count, rmse, mae } = await predict(rows, edits);
  const { stdout } = await run(['evaluate', '--models', 'mf', '--json'], server.address);
  const figures: { metric: string; window: string; value: number; count: string }[] = JSON.parse(stdout).report.rows;
  const total = (name: string) => figures.find(({ metric, window }) => metric === name && window === 'total');
  assert.equal(String(count), total('rmse')?.count);
  assert.ok(Math.abs(Number(rmse) - Number(total('rmse')?.value)) < 1e-6);
  assert.ok(Math.abs(Number(mae) - Number(total('mae')?.value)) < 1e-6);
  // The last batch is another one now, and edits what was learned before; its own new ratings alone are counted.
  assert.equal((await predict(rows, edits, rowsOf(50))).count, 50);
});

test('a file is learned once, whatever its form', async () => {
  const rows = rowsOf(1234);
  const header = ['userId', 'movieId', 'rating', 'timestamp'];
  const { seconds, revision, ...counts } = await importFile(await fileOf(csv([header, ...rows])));
  assert.deepEqual(counts, { accepted: 1234, duplicates: 0, skipped: 0, skippedLines: [], predictions: undefined });
  assert.ok(seconds > 0);
  const moved = rows.map(([user, item, value, time]) => [
    new Date(Number(time) * 1000).toISOString(),
    `"${item}"`,
    user,
    value,
  ]);
  const again = [
    await importFile(await fileOf(csv(rows))),
    await importFile(await fileOf(gzipSync(csv([header, ...rows])))),
    await importFile(await fileOf(rows.map((row) => row.join('::')).join('\r\n'))),
    await importFile(await fileOf(csv(moved)), { columns: parseColumns('time,item,user,value') }),
    await importFile(await fileOf(zstdCompressSync(jsonLines(rows)))),
    await importFile(await fileOf(csv([rows[7], ...rows.slice(0, 7), ...rows.slice(8)])), { sort: 'time' }),
  ];
  for (const each of again) assert.deepEqual([each.accepted, each.duplicates, each.revision], [0, 1234, revision]);
  assert.equal((await importFile(await fileOf(csv(rows)), { run: 'again' })).accepted, 1234);
});

test('a line that is no rating stops the import, and a corrected file goes on', async () => {
  const rows = rowsOf(1000);
  const [user, item, , time] = rows[399];
  const path = await fileOf(csv(rows.with(399, [user, item, 'five', time])));
  const before = await learnedCount();
  await assert.rejects(importFile(path, { batch: 100 }), {
    reason: 'BAD_LINE',
    message: new RegExp(
      '^\\S+ratings-\\d+\\.csv line 400 is no rating: the value "five" is no number; correct the file, or leave such lines out with ' +
        '--on-error skip; to go on, run the same command again: 300 ratings are learned, and not learned twice$',
    ),
  });
  assert.equal((await learnedCount()) - before, 300);
  await writeFile(path, csv(rows));
  const { duplicates, accepted } = await importFile(path, { batch: 100 });
  assert.deepEqual([duplicates, accepted], [300, 700]);
  assert.equal((await learnedCount()) - before, 1000);
});

test('lines that are no ratings can be left out, also those that the server refuses', async () => {
  const rows = rowsOf(500);
  rows[10][2] = 'five';
  rows[200][2] = '9';
  rows[201] = ['x'.repeat(300), 'i1', '3', '978300760'];
  rows[499] = ['too', 'few'];
  const path = await fileOf(csv(rows));
  const { accepted, skipped, skippedLines } = await importFile(path, { onError: 'skip', batch: 100 });
  assert.deepEqual([accepted, skipped], [496, 4]);
  assert.deepEqual(
    new Set(skippedLines.map(({ field }) => field)),
    new Set(['line 11', 'line 201', 'line 202', 'line 500']),
  );
  const again = await runProcess(['import', path, '--on-error', 'skip', '--batch', '100'], server.address);
  assert.equal(again.code, 3);
  assert.match(again.stdout, /^0 ratings learned .*\n496 had been learned before\n$/);
  assert.match(
    again.stderr,
    /^4 lines were left out:\n(.*\n)*.*line 201 value is 9: it must be on the scale, 0\.5 to 5\n/,
  );
});

test('more bad ratings than an answer can name are left out all the same', async () => {
  const rows = rowsOf(900).map(([user, item, value, time], n) => [user, item, n % 3 === 0 ? '9' : value, time]);
  const { accepted, skipped, skippedLines } = await importFile(await fileOf(csv(rows)), { onError: 'skip' });
  assert.deepEqual([accepted, skipped, skippedLines.length], [600, 300, 20]);
});

test('ratings that the server refuses stop the import, named by their lines', async () => {
  const rows = rowsOf(10_000);
  rows[120][2] = '9';
  rows[130][2] = '-1';
  const before = await learnedCount();
  const { code, stdout, stderr } = await run(
    ['import', await fileOf(csv(rows)), '--batch', '100', '--json'],
    server.address,
  );
  const { reason, faults } = JSON.parse(stderr).error;
  assert.deepEqual([code, stdout, reason], [1, '', 'INVALID_FIELD']);
  assert.deepEqual(faults, [
    { field: 'line 121', description: 'value is 9: it must be on the scale, 0.5 to 5' },
    { field: 'line 131', description: 'value is -1: it must be on the scale, 0.5 to 5' },
  ]);
  assert.ok((await learnedCount()) - before < 5000, 'what was not yet sent is not sent');
});

test('a file that is no file of ratings is refused', async () => {
  await assert.rejects(importFile(await fileOf('["ada"]\n')), {
    reason: 'BAD_FILE',
    message: /line 1 has no user, item and value/,
  });
  await assert.rejects(importFile(await fileOf('{"user":"ada"}\n')), {
    reason: 'BAD_LINE',
    message: /line 1 is no rating: the item is empty/,
  });
  const damaged = gzipSync(csv(rowsOf(5000))).subarray(0, 900);
  await assert.rejects(importFile(await fileOf(damaged), { batch: 10 }), { reason: 'DAMAGED_FILE' });
  await assert.rejects(importFile(await fileOf('ada,tea,5\n'), { sort: 'time' }), {
    message: /line 1 has no time to sort by/,
  });
  assert.equal((await importFile(await fileOf(''))).accepted, 0);
});

test('an input that is no file of ratings is not waited for', async () => {
  const child = start(['import', '-'], server.address);
  child.stdin.write('hello\n');
  const { code, stderr } = await ended(child);
  assert.equal(code, 1);
  assert.match(stderr, /BAD_FILE: standard input line 1 has no user/);
});

test('an unknown model for predictions stops the import', async () => {
  const path = await fileOf(csv(rowsOf(10)));
  await assert.rejects(importFile(path, { predictions: 'nope', onError: 'skip' }), { reason: 'MODEL_NOT_FOUND' });
});

/** Resolves when the server has learned `count` ratings more than `before`. */
async function untilLearned(before: number, count: number): Promise<void> {
  while ((await learnedCount()) - before < count) await new Promise((resolve) => setTimeout(resolve, 20));
}

test('an import that was killed goes on where it stopped', async () => {
  const rows = rowsOf(3000);
  const before = await learnedCount();
  const killed = start(['import', '-'], server.address);
  killed.stdin.write(csv(rows.slice(0, 1700)));
  await untilLearned(before, 1500);
  killed.kill('SIGKILL');
  await once(killed, 'exit');
  const { duplicates, accepted } = await importFile(await fileOf(csv(rows)));
  assert.deepEqual([duplicates, accepted], [1500, 1500]);
  assert.equal((await learnedCount()) - before, 3000);
});

test('an import outlives its server', async () => {
  const rows = rowsOf(3000);
  const before = await learnedCount();
  const child = start(['import', '-', '--json'], server.address);
  child.stdin.write(csv(rows.slice(0, 1700)));
  await untilLearned(before, 1500);
  await server.stop('SIGKILL');
  child.stdin.end(csv(rows.slice(1700)));
  server = await startServer(folder, server.address);
  const { code, stdout } = await ended(child);
  const { accepted, duplicates }: ImportSummary = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '').summary;
  assert.deepEqual([code, accepted + duplicates], [0, 3000]);
  assert.equal((await learnedCount()) - before, 3000);
});

test('Ctrl-C ends an import with 130', async () => {
  const child = start(['import', '-'], server.address);
  const before = await learnedCount();
  child.stdin.write(csv(rowsOf(600)));
  await untilLearned(before, 500);
  child.kill('SIGINT');
  const { code, stderr } = await ended(child);
  assert.equal(code, 130);
  assert.match(stderr, /INTERRUPTED: run the same command again/);
});
