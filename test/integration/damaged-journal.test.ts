import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import type { Rating } from '../../proto/gen/accrete/v1/rating.ts';
import type { ConfigInput } from '../../server/config/schema.ts';
import { createServer } from '../../server/server.ts';
import { linkName } from '../../server/store/link-chain.ts';
import { Client } from '../support/client.ts';
import { rating } from '../support/ratings.ts';
import { TEST_CONFIG, TestServer } from '../support/server.ts';
import { ROOT, ServerProcess } from '../support/server-process.ts';
import { failureOf } from '../support/status.ts';
import { makeFolder, type Scope } from '../support/temporary-folder.ts';

/** A server whose journal is damaged does not start, says what could be kept, and starts when that was kept. */

const config: ConfigInput = { journal: { linkMiB: 1 } };
const BATCHES = 160;
const CHECKPOINT_AFTER = 100;
const itemOf = (batch: number) => `item-${batch}`.padEnd(200, '-');

function ratingsOf(batch: number): Rating[] {
  const eventTime = { seconds: BigInt(batch), nanos: 0 };
  return Array.from({ length: 40 }, (_, n) => rating(`user-${n}`, itemOf(batch), 1 + (n % 5), { eventTime }));
}

/** Two links or more, and a checkpoint amid them; the state after each of some batches, by revision. */
async function makeStore(t: Scope): Promise<{ data: string; hashAfter: Map<number, string> }> {
  const server = await TestServer.start(t, config);
  const hashAfter = new Map<number, string>();
  for (let batch = 0; batch < BATCHES; batch++) {
    if (batch === CHECKPOINT_AFTER) await server.client.createCheckpoint();
    const { revision } = await server.client.rate(ratingsOf(batch), { requestId: `request-${batch}` });
    hashAfter.set(Number(revision), (await server.client.getModel('mean')).hash);
  }
  await server.stop();
  return { data: server.data, hashAfter };
}

const linksOf = (data: string) =>
  readdirSync(join(data, 'journal'))
    .filter((name) => name.endsWith('.mdb'))
    .sort()
    .map((name) => join(data, 'journal', name));

/** Wherever it stands: pages that were copied are still in the file. */
function replaceAll(path: string, text: string, by: string): void {
  writeFileSync(path, Buffer.from(readFileSync(path, 'latin1').replaceAll(text, by), 'latin1'));
}

const DAMAGE: Readonly<Record<string, (links: string[]) => void>> = {
  'a record with a wrong checksum': ([first]) => {
    replaceAll(first, itemOf(30), `${itemOf(30).slice(0, -1)}+`);
  },
  'a missing link': (links) => {
    renameSync(links[1], `${links[1]}.gone`);
  },
  'a link that was cut off': (links) => truncateSync(links[1], 300_000),
  'a link of garbage': (links) => writeFileSync(links[1], Buffer.alloc(500_000, 'garbage')),
};

const server = (data: string, ...flags: string[]) =>
  promisify(execFile)(process.execPath, [join(ROOT, 'server/main.ts'), '--data', data, ...flags]);

const store = await (async () => {
  const scope: (() => unknown)[] = [];
  const made = await makeStore({ after: (run) => scope.push(run) });
  const folder = makeFolder({ after: (run) => process.on('exit', run) });
  cpSync(made.data, join(folder, 'data'), { recursive: true });
  for (const run of scope) await run();
  return { ...made, data: join(folder, 'data') };
})();

for (const [what, damage] of Object.entries(DAMAGE)) {
  test(`${what}: the start says what could be kept; a repair keeps it, and the server starts on it`, async (t) => {
    const data = join(makeFolder(t), 'data');
    cpSync(store.data, data, { recursive: true });
    rmSync(join(data, 'state'), { recursive: true }); // what a checkpoint covers is not read at a start
    damage(linksOf(data));
    const files = readdirSync(join(data, 'journal'));

    const refused = createServer({ ...TEST_CONFIG, ...config, data });
    const { grpc } = await refused.start();
    const client = new Client(grpc);
    t.after(() => client.close());
    const waiting = failureOf(client.recommend('user-1'));
    const error = await refused.ready.then(
      () => assert.fail('it started'),
      (reason) => reason,
    );
    assert.equal(error.reason, 'STORE_DAMAGED');
    const told = await waiting;
    assert.deepEqual([told.code, told.reason, told.message], ['DATA_LOSS', 'STORE_DAMAGED', error.message]);
    const [, kept, dropped] =
      /doctor --repair would keep revisions 1\.\.(\d+) \(with \d+ ratings and events\) and drop revisions (\d+)\.\./.exec(
        error.message,
      ) ?? assert.fail(error.message);
    assert.equal(Number(dropped), Number(kept) + 1);
    await refused.stop();
    assert.deepEqual(readdirSync(join(data, 'journal')), files, 'a start that is refused changes nothing');

    const { keep, drop, movedTo } = JSON.parse((await server(data, '--repair')).stdout);
    assert.deepEqual([Number(keep.to), Number(drop.from)], [Number(kept), Number(kept) + 1]);
    assert(existsSync(movedTo));
    const again = createServer({ ...TEST_CONFIG, ...config, data });
    const on = new Client((await again.start()).grpc);
    t.after(() => on.close());
    await again.ready;
    assert.equal((await on.getModel('mean')).hash, store.hashAfter.get(Number(kept)));
    assert.equal(Number((await on.rate([rating('ann', 'new', 3)])).revision), Number(kept) + 1);
    await again.stop();
  });
}

/** A copy of the store as it was killed long after a checkpoint, which is at revision `checkpoint`. */
function copyStore(t: Scope): { data: string; checkpoint: number; last: number } {
  const data = join(makeFolder(t), 'data');
  cpSync(store.data, data, { recursive: true });
  const [checkpoint, last] = checkpointsOf(data);
  for (const end of ['', '-lock']) rmSync(join(data, 'state', `${linkName(last)}${end}`), { force: true });
  return { data, checkpoint, last };
}

const checkpointsOf = (data: string) =>
  readdirSync(join(data, 'state'))
    .filter((name) => name.endsWith('.mdb'))
    .map((name) => Number.parseInt(name, 10))
    .sort((a, b) => a - b);

test('damage before a checkpoint: nothing that was rated is lost, but records that it has', async (t) => {
  const { data, checkpoint, last } = copyStore(t);
  DAMAGE['a record with a wrong checksum'](linksOf(data));
  const done = JSON.parse((await server(data, '--repair')).stdout);
  const { keep, past, drop, files } = done;
  assert.deepEqual([Number(keep.from), Number(keep.to), drop.records, files.checkpoints], [33, last, 0, []]);
  assert.deepEqual([Number(past.from), Number(past.to), past.readable], [1, 32, 31]);
  assert.equal(Number(past.checkpoint), checkpoint);
  const again = createServer({ ...TEST_CONFIG, ...config, data });
  t.after(() => again.stop());
  const client = new Client((await again.start()).grpc);
  t.after(() => client.close());
  await again.ready;
  assert.equal((await client.getModel('mean')).hash, store.hashAfter.get(last));
  const retried = await client.rate(ratingsOf(3), { requestId: 'request-3' });
  assert.deepEqual([retried.duplicate, Number(retried.revision)], [true, 5]);
  assert.match(linksOf(data)[0], /0{18}33\.mdb$/);
  assert((await client.listRatings('user-7')).ratings.length > 0);
  await client.forgetUser('user-7');
  assert.equal((await client.listRatings('user-7')).ratings.length, 0);
});

test('what goes beyond what is kept goes too', async (t) => {
  const { data, checkpoint } = copyStore(t);
  const versions = join('versions', 'mean@1');
  mkdirSync(join(data, 'state', versions), { recursive: true });
  const versionAt = (revision: number) => join(versions, linkName(revision));
  for (const revision of [2, 60]) writeFileSync(join(data, 'state', versionAt(revision)), 'a version');
  // A checkpoint that is damaged itself is of no help.
  const path = join(data, 'state', linkName(checkpoint));
  writeFileSync(path, readFileSync(path).fill(0xff, 8192));
  DAMAGE['a record with a wrong checksum'](linksOf(data));
  const done = JSON.parse((await server(data, '--repair')).stdout);
  assert.deepEqual(done.files.checkpoints.toSorted(), [linkName(checkpoint), versionAt(60)]);
  for (const gone of [linkName(checkpoint), versionAt(60)]) assert(existsSync(join(done.movedTo, 'state', gone)));
  assert.deepEqual(readdirSync(join(data, 'state', versions)), [linkName(2)]);
  writeFileSync(join(data, 'state', versionAt(60)), 'a version');
  const refused = createServer({ ...TEST_CONFIG, ...config, data });
  await refused.start();
  const message = /its newest files are gone.*drop revisions/;
  await assert.rejects(refused.ready, { reason: 'STORE_DAMAGED', message }).finally(() => refused.stop());
  rmSync(join(data, 'state', versionAt(60)));
  const again = createServer({ ...TEST_CONFIG, ...config, data });
  t.after(() => again.stop());
  await again.start();
  await again.ready;
});

test('without a journal that leads to the checkpoint, it alone is kept', async (t) => {
  const { data, checkpoint } = copyStore(t);
  for (const name of readdirSync(join(data, 'journal'))) rmSync(join(data, 'journal', name));
  const plan = JSON.parse((await server(data, '--repair', '--dry-run')).stdout);
  assert.match(plan.damage, /mdb goes beyond revision 0/);
  assert.deepEqual([Number(plan.past.to), plan.keep.records, plan.drop.records], [checkpoint, 0, 0]);
  await server(data, '--repair');
  const again = createServer({ ...TEST_CONFIG, ...config, data });
  t.after(() => again.stop());
  const client = new Client((await again.start()).grpc);
  t.after(() => client.close());
  await again.ready;
  assert.equal((await client.getModel('mean')).hash, store.hashAfter.get(checkpoint));
  assert.equal(Number((await client.rate([rating('ann', 'new', 3)])).revision), checkpoint + 1);
});

test('the process ends with 1 and the same message; a store in use is not repaired', async (t) => {
  const running = await ServerProcess.start(t, config);
  await running.client.rate([rating('ann', 'matrix', 4)]);
  const failure = await server(running.data, '--repair').catch((error) => error);
  assert.deepEqual([failure.code, JSON.parse(failure.stdout).error.reason], [1, 'STORE_IN_USE']);
  await running.kill();
  rmSync(join(running.data, 'state'), { recursive: true, force: true });
  const [link] = linksOf(running.data);
  replaceAll(link, 'matrix', 'matrox');
  running.spawn();
  assert.deepEqual(await running.exited, { code: 1, signal: null });
  assert.match(
    running.stderr,
    /accrete: revision 2 .* its checksum is wrong; .*: accrete doctor --repair would keep revisions 1\.\.1 .* drop revisions 2\.\.2 /,
  );
  const plan = JSON.parse((await server(running.data, '--repair', '--dry-run')).stdout);
  assert.deepEqual([plan.keep.records, plan.drop.records, plan.movedTo], [1, 1, undefined]);
  rmSync(join(running.data, 'format.json'));
  const without = await server(running.data, '--repair').catch((error) => error);
  assert.match(JSON.parse(without.stdout).error.message, /format\.json is missing/);
});
