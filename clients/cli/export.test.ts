import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type ServerWritableStream, status } from '@grpc/grpc-js';
import { Rating } from '../../proto/gen/accrete/v1/rating.ts';
import {
  type ExportRatingsRequest,
  ExportRatingsResponse,
  UserServiceService,
} from '../../proto/gen/accrete/v1/user.ts';
import { ended, makeFolder, run, start } from './testing/accrete.ts';
import { FakeServer } from './testing/fake-server.ts';

/** Revision n has one rating, of user n % 3 at the time 100 - n; the journal grows by one with every call. */
let count = 10;
let requests: ExportRatingsRequest[] = [];
/** A range whose export never comes. */
const SLOW = '7'.repeat(20);
const revisionOf = (n: number) => String(n).padStart(20, '0');

function exportRatings(call: ServerWritableStream<ExportRatingsRequest, ExportRatingsResponse>): void {
  const { firstRevision, lastRevision } = call.request;
  requests.push(call.request);
  if (firstRevision === SLOW) return;
  const last = lastRevision === '' ? count++ : Number(lastRevision);
  if (last > count) return void call.emit('error', { code: status.OUT_OF_RANGE, details: 'was never given' });
  for (let n = Number(firstRevision || 1); n <= last; n++) {
    const progress = {
      phase: 'export',
      completed: BigInt(n),
      total: BigInt(last),
      unit: 'records',
      remaining: undefined,
    };
    call.write(ExportRatingsResponse.fromPartial({ event: { $case: 'progress', value: progress } }));
    const eventTime = { seconds: BigInt(100 - n), nanos: 0 };
    const rating = Rating.fromPartial({ userId: `u${n % 3}`, itemId: `i${n}`, value: n / 2, eventTime });
    const batch = { revision: revisionOf(n), receivedAt: undefined, ratings: [rating] };
    call.write(ExportRatingsResponse.fromPartial({ event: { $case: 'batch', value: batch } }));
  }
  call.end();
}

const server = new FakeServer().add(UserServiceService, { exportRatings });
const { folder, remove } = await makeFolder();
let address: string;

before(async () => {
  address = await server.start();
});
after(async () => {
  server.stop();
  await remove();
});

function accrete(...args: string[]) {
  count = 10;
  requests = [];
  return run(['export', ...args], address);
}

const HEADER = 'user,item,value,time,weight,kind,retract,recommendation_id\n';
const lineOf = (n: number) => `u${n % 3},i${n},${n / 2},${100 - n},,,,\n`;
const linesOf = (...numbers: number[]) => HEADER + numbers.map(lineOf).join('');

test('all ratings, or those of a range, on standard output', async () => {
  const all = await accrete();
  assert.equal(all.stdout, linesOf(1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
  assert.match(all.stderr, /^10 ratings to standard output in \d+\.\d s, revisions 0+1 to 0+10\n$/);
  const some = await accrete('--from', revisionOf(3), '--to', revisionOf(4));
  assert.equal(some.stdout, linesOf(3, 4));
  const json = await accrete('--from', revisionOf(3), '--to', revisionOf(3), '--json');
  assert.equal(json.stdout, '{"user_id":"u0","item_id":"i3","value":1.5,"event_time":"1970-01-01T00:01:37Z"}\n');
  assert.equal(json.stderr, '');
});

test('- is standard output: with --json every line there is a rating', async () => {
  const csv = await accrete('--output', '-');
  assert.equal(csv.stdout, linesOf(1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
  assert.match(csv.stderr, /^10 ratings to standard output in /);
  const json = await accrete('--output', '-', '--json');
  const items = json.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).item_id);
  assert.deepEqual([items, json.stderr], [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((n) => `i${n}`), '']);
  const held = ['--output', join(folder, 'rest.csv'), '--test', '-', '--test-share', '0.2'];
  assert.match((await accrete(...held, '--json')).stdout, /^\{"user_id":.*"i1",.*\n\{"user_id":.*"i2",.*\n$/);
});

test('a split by time: two files, and nothing that came in between', async () => {
  const [train, held] = [join(folder, 'train.csv'), join(folder, 'test.jsonl')];
  const { code, stdout } = await accrete('--output', train, '--test', held, '--test-share', '0.2', '--json');
  const { seconds, ...summary } = JSON.parse(stdout).summary;
  const revisions = { firstRevision: revisionOf(1), lastRevision: revisionOf(10) };
  assert.deepEqual([code, summary], [0, { ratings: 8, testRatings: 2, ...revisions }]);
  assert.ok(seconds > 0);
  assert.deepEqual(
    requests.map(({ lastRevision }) => lastRevision),
    ['', revisionOf(10)],
  );
  assert.equal(await readFile(train, 'utf8'), linesOf(3, 4, 5, 6, 7, 8, 9, 10));
  assert.deepEqual((await readFile(held, 'utf8')).match(/i\d+/g), ['i1', 'i2']);
});

test("a split by each user's last rating", async () => {
  const [train, held] = [join(folder, 'last.csv'), join(folder, 'out.csv')];
  await accrete('--output', train, '--test', held, '--leave-last-out');
  assert.equal(await readFile(held, 'utf8'), linesOf(1, 2, 3));
  assert.equal(await readFile(train, 'utf8'), linesOf(4, 5, 6, 7, 8, 9, 10));
});

test('a file is there whole or not at all, and is not replaced by mistake', async () => {
  const path = join(folder, 'ratings.csv');
  const failed = await accrete('--output', path, '--to', revisionOf(99));
  assert.match(failed.stderr, /^accrete: OUT_OF_RANGE: was never given/);
  assert.equal(failed.code, 1);
  assert.deepEqual(
    (await readdir(folder)).filter((name) => name.includes('ratings.csv')),
    [],
  );
  await accrete('--output', path);
  const again = await accrete('--output', path);
  assert.match(again.stderr, /ratings\.csv exists: name another file, or replace it by --force/);
  assert.deepEqual([again.code, requests], [2, []]);
  assert.equal((await accrete('--output', path, '--force')).code, 0);
});

test('Ctrl-C leaves nothing behind', async () => {
  const before = await readdir(folder);
  requests = [];
  const child = start(['export', '--output', join(folder, 'cut.csv'), '--from', SLOW], address);
  while (requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  child.kill('SIGINT');
  const { code, stderr } = await ended(child);
  assert.deepEqual([code, stderr], [130, 'accrete: INTERRUPTED: nothing was written\n']);
  assert.deepEqual(await readdir(folder), before);
});

const mistakes: [args: string[], problem: RegExp][] = [
  [['--test', 'x.csv'], /--test needs --test-share or --leave-last-out/],
  [['--leave-last-out'], /--test FILE is needed/],
  [['--test', 'x.csv', '--leave-last-out', '--test-share', '0.1'], /choose one/],
  [['--output', '-', '--test', '-', '--leave-last-out'], /both go to standard output/],
  [['--columns', 'user,itme'], /"itme" is no column/],
];

test('a command that is written wrong calls nothing', async () => {
  const outcomes = await Promise.all(mistakes.map(([args]) => accrete(...args)));
  for (const [n, { code, stderr }] of outcomes.entries()) {
    assert.match(stderr, mistakes[n][1]);
    assert.equal(code, 2);
  }
  assert.deepEqual(requests, []);
});
