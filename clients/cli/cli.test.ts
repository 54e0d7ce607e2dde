import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ServerProcess } from './server-process.ts';
import { addressHere } from './session.ts';
import { type Ended, ended, lastDocument, makeFolder, run, runProcess, start, startServer } from './testing/accrete.ts';

const execute = promisify(execFile);
const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
const { folder, remove } = await makeFolder();
let server: ServerProcess;

before(async () => {
  server = await startServer(folder);
  const rows = Array.from(
    { length: 2000 },
    (_, n) => `u${n % 40},i${(n * 7) % 90},${1 + (n % 5)},${978_300_760 + n}\n`,
  );
  assert.equal((await run(['import', '-'], server.address, rows.join(''))).code, 0);
});
after(async () => {
  await server.stop();
  await remove();
});

/** Runs a command against the server. */
function accrete(...args: string[]): Promise<Ended> {
  return run(args, server.address);
}

async function json<Document>(...args: string[]): Promise<Document> {
  const { code, stdout, stderr } = await accrete(...args, '--json');
  assert.equal(stderr, '');
  assert.equal(code, 0);
  return lastDocument(stdout) as Document;
}

test('help and version', async () => {
  const [help, own, versions, none] = await Promise.all([
    accrete('--help'),
    accrete('rate', '--help'),
    runProcess(['--version']),
    runProcess([]),
  ]);
  assert.match(help.stdout, /Exit codes:\n {2}0 /);
  assert.match(own.stdout, /--request-id.*--address/s);
  assert.deepEqual([help.code, own.code, versions.code, none.code], [0, 0, 0, 2]);
  assert.equal(versions.stdout, `${version}\n`);
  assert.match(none.stderr, /Usage: accrete/);
});

const mistakes: { args: string[]; problem: RegExp }[] = [
  { args: ['nope'], problem: /unknown command 'nope'/ },
  { args: ['recommend'], problem: /a user is needed, or --session ITEMS/ },
  { args: ['recommend', 'ada', '--session', 'x'], problem: /a user is needed, or --session ITEMS/ },
  { args: ['models', 'load', 'x'], problem: /required option '--plugin <plugin>' not specified/ },
  {
    args: ['recommend', 'u1', '--count', '0'],
    problem: /'--count <n>' argument '0' is invalid. It takes a whole number from 1 to/,
  },
  { args: ['rate', 'u1', 'i1'], problem: /a value is needed: accrete rate USER ITEM VALUE, or --kind, or --retract/ },
  { args: ['rate', 'u1', 'i1', 'five'], problem: /'five' is invalid/ },
  { args: ['rate', 'u1', 'i1', '5', '--time', 'noon'], problem: /'noon' is invalid. It takes seconds or milliseconds/ },
  { args: ['import', 'x.csv', '--columns', 'user,itme'], problem: /"itme" is no column/ },
  { args: ['import', 'x.csv', '--columns', 'user,item'], problem: /--columns needs a value, a kind or retract/ },
  { args: ['import', 'x.csv', '--sort', 'user'], problem: /'user' is invalid. Allowed choices are time/ },
  { args: ['models', '--address', 'nowhere'], problem: /'nowhere' is invalid. It takes host:port or unix:\/path/ },
  { args: ['bench', '--users', '5..3'], problem: /'5..3' is invalid/ },
];

test('a command that is written wrong ends with 2 and says what is wrong', async () => {
  const outcomes = await Promise.all(mistakes.map(({ args }) => accrete(...args)));
  for (const [n, { code, stdout, stderr }] of outcomes.entries()) {
    assert.match(stderr, mistakes[n].problem);
    assert.deepEqual([code, stdout], [2, '']);
  }
});

test('rate and ratings: what is learned can be read, replaced and taken back', async () => {
  const args = ['rate', 'ada', 'tea', '4.5', '--time', '2020-01-01', '--weight', '2', '--request-id', 'r1'];
  const first = await json<{ revision: string; acceptedCount: number }>(...args);
  assert.equal(first.acceptedCount, 1);
  assert.deepEqual(await json(...args), { ...first, duplicate: true });
  assert.match((await accrete(...args)).stdout, /^learned before, at revision \d{20}\n$/);
  assert.match((await accrete('rate', 'ada', 'milk', '1')).stdout, /^learned at revision \d{20}\n$/);
  const { ratings } = await json<{ ratings: object[] }>('ratings', 'ada');
  assert.equal(ratings.length, 2);
  assert.deepEqual(ratings[1], {
    userId: 'ada',
    itemId: 'tea',
    value: 4.5,
    eventTime: '2020-01-01T00:00:00.000Z',
    weight: 2,
  });
  await json('rate', 'ada', 'milk', '--retract');
  assert.equal(
    (await accrete('ratings', 'ada')).stdout,
    'item\tvalue\tweight\ttime\tkind\ntea\t4.5\t2\t2020-01-01T00:00:00Z\t\n',
  );
  assert.equal((await accrete('ratings', 'nobody')).stdout, 'item\tvalue\tweight\ttime\tkind\n');
});

test('rate and ratings: events of kinds', async () => {
  await json('rate', 'eve', 'tea', '--kind', 'click', '--time', '2020-01-01');
  await json('rate', 'eve', 'cup', '3', '--kind', 'click', '--time', '2020-01-01');
  assert.equal(
    (await accrete('ratings', 'eve')).stdout,
    'item\tvalue\tweight\ttime\tkind\n' +
      'cup\t3\t1\t2020-01-01T00:00:00Z\tclick\ntea\t\t1\t2020-01-01T00:00:00Z\tclick\n',
  );
  await json('rate', 'eve', 'cup', '--kind', 'click', '--retract');
  assert.equal((await json<{ ratings: object[] }>('ratings', 'eve')).ratings.length, 1);
});

interface Recommended {
  readonly items: { itemId: string; title?: string; score: number }[];
  readonly model: string;
  readonly revision: string;
}

test('recommend: options reach the server, titles are added', async () => {
  const titles = join(folder, 'movies.csv');
  await writeFile(titles, 'movieId,title,genres\ni17,"One, the first",x\ni27,Two,y');
  const args = [
    'recommend',
    'u1',
    '--candidates',
    'i17,i27,i37',
    '--include-seen',
    '--model',
    'popularity',
    '--titles',
    titles,
  ];
  const { items, model, revision } = await json<Recommended>(...args);
  assert.equal(model, 'popularity');
  assert.deepEqual(items.map(({ itemId, title }) => [itemId, title]).sort(), [
    ['i17', 'One, the first'],
    ['i27', 'Two'],
    ['i37', undefined],
  ]);
  const fewer = await json<Recommended>(...args, '--exclude', 'i17', '--count', '1', '--min-revision', revision);
  assert.deepEqual(
    fewer.items.map(({ itemId }) => itemId),
    [items.filter(({ itemId }) => itemId !== 'i17')[0].itemId],
  );
  const { stdout, stderr } = await accrete(...args);
  assert.match(stdout, /^rank\titem\ttitle\tscore.*\n1\ti\d7\t/);
  assert.match(stderr, /^by popularity \S+, as of revision \d{20}\n$/);
});

test('evaluate and models: figures, settings, tables and hashes', async () => {
  const { report } = await json<{ report: { rows: { model: string; metric: string }[] } }>(
    'evaluate',
    '--models',
    'mf',
    '--metrics',
    'rmse,mae',
  );
  assert.deepEqual(
    new Set(report.rows.map(({ model, metric }) => `${model} ${metric}`)),
    new Set(['mf rmse', 'mf mae']),
  );
  assert.match(
    (await accrete('evaluate')).stdout,
    /^model\tmetric\ttotal\ttotal count\twindow\twindow count\nmf\trmse\t\d\.\d{4}\t[\d,]+\t/,
  );
  assert.match(
    (await accrete('evaluate', '--models', 'popularity', '--metrics', 'rmse')).stderr,
    /^popularity has no rmse: it does not predict ratings$/m,
  );
  const { models } = await json<{ models: { name: string; state: string }[] }>('models');
  assert.deepEqual(
    models.map(({ name, state }) => [name, state]),
    [
      ['mf', 'MODEL_STATE_AVAILABLE'],
      ['popularity', 'MODEL_STATE_AVAILABLE'],
    ],
  );
  assert.match((await accrete('models')).stdout, /^name\tplugin\tstate.*\nmf\tmf\tAVAILABLE\tyes\t/);
  const { model, hash } = await json<{ model: { tables: { hash: string }[] }; hash: string }>('models', 'mf');
  const printed = (await accrete('models', 'mf')).stdout;
  for (const each of [hash, ...model.tables.map((table) => table.hash)])
    assert.ok(printed.includes(each) && each !== '');
  const runs = join(folder, 'runs');
  assert.match((await accrete('evaluate', '--tensorboard', runs)).stderr, /curves of 1 models are in/);
  assert.match((await readdir(join(runs, 'mf')))[0], /^events\.out\.tfevents\./);
});

test('bench: calls of both kinds', async () => {
  const { calls } = await json<{ calls: { call: string; count: number; callsPerSecond: number }[] }>(
    'bench',
    '--calls',
    '50',
    '--users',
    'u1,u2',
  );
  assert.deepEqual(
    calls.map(({ call, count }) => [call, count]),
    [
      ['Recommend', 50],
      ['Check', 50],
    ],
  );
  assert.match(
    (await accrete('bench', '--calls', '5', '--users', '1..3')).stdout,
    /^call\tcalls\tcalls\/s\tp50 ms\tp99 ms\nRecommend\t5\t/,
  );
});

const failures: { args: string[]; text: RegExp }[] = [
  {
    args: ['models', 'nope'],
    text: /^accrete: MODEL_NOT_FOUND: .*"nope"; loaded are mf, popularity\n$/,
  },
  {
    args: ['rate', 'u1', 'i1', '9'],
    text: /ratings\[0\]\.value is 9: it must be on the scale, 0\.5 to 5/,
  },
  {
    args: ['rate', '', '', '-3', '--weight', '99'],
    text: /user_id .*\n {2}ratings\[0\]\.item_id .*\n {2}ratings\[0\]\.value .*-3.*\n {2}ratings\[0\]\.weight /,
  },
  {
    args: ['recommend', 'u1', '--min-revision', '9'.repeat(20)],
    text: /was never given/,
  },
  { args: ['evaluate', '--metrics', 'luck'], text: /metrics\[0\] is "luck"/ },
  { args: ['import', 'missing.csv'], text: /^accrete: ENOENT: missing\.csv: no such file/ },
  { args: ['recommend', 'u1', '--titles', 'missing.csv'], text: /ENOENT/ },
];

test('what fails ends with 1 and says why', async () => {
  const outcomes = await Promise.all(failures.map(({ args }) => accrete(...args)));
  for (const [n, { code, stdout, stderr }] of outcomes.entries()) {
    assert.match(stderr, failures[n].text);
    assert.deepEqual([code, stdout], [1, '']);
  }
});

test('what fails is told to programs as JSON', async () => {
  const { code, stdout, stderr } = await accrete('rate', 'u1', 'i1', '9', '--json');
  const fault = {
    field: 'ratings[0].value',
    description: 'is 9: it must be on the scale, 0.5 to 5',
  };
  const { reason, message, faults } = JSON.parse(stderr).error;
  assert.deepEqual([reason, faults], ['INVALID_FIELD', [fault]]);
  assert.match(message, /nothing of the batch was learned/);
  assert.deepEqual([code, stdout], [1, '']);
});

test('without a server the error says where it was looked for', async () => {
  const { code, stderr } = await runProcess(['models'], `unix:${folder}/none.sock`);
  assert.match(stderr, /^accrete: UNAVAILABLE: no server answers at unix:\S+: start one with `accrete serve`/);
  assert.equal(code, 1);
});

test('health: the exit code says whether it serves, also of what a name stands for', async () => {
  assert.deepEqual(await accrete('health'), { code: 0, stdout: 'SERVING\n', stderr: '' });
  assert.deepEqual(await json('health', 'accrete.write', '--wait', '5'), { status: 'SERVING' });
  assert.match((await accrete('health', 'nobody', '--wait', '5')).stderr, /NOT_FOUND/);
  const absent = await run(['health'], '127.0.0.1:1');
  assert.equal(absent.code, 1);
  assert.match(absent.stderr, /no server answers at 127\.0\.0\.1:1/);
});

test('without an address a command asks where its environment has a server listen', () => {
  assert.deepEqual(['0.0.0.0:7', '[::]:7', 'unix:/run/a.sock', '127.0.0.1:0', undefined].map(addressHere), [
    '127.0.0.1:7',
    '[::1]:7',
    'unix:/run/a.sock',
    '127.0.0.1:50051',
    '127.0.0.1:50051',
  ]);
});

test('serve: the flags, signals and exit code of the server', async () => {
  // The variable is for clients; a server would refuse to know it.
  const wrong = await runProcess(['serve', '--rating.mox', '7'], server.address);
  assert.match(wrong.stderr, /rating\.max/);
  assert.doesNotMatch(wrong.stderr, /ACCRETE_ADDRESS/);
  assert.equal(wrong.code, 1);
  const socket = `unix:${join(folder, 'serve.sock')}`;
  const child = start([
    'serve',
    '--data',
    join(folder, 'serve'),
    '--listen',
    socket,
    '--metrics.listen',
    'off',
    '--models',
    'popularity',
  ]);
  child.stderr.once('data', async () => {
    assert.equal((await run(['models'], socket)).code, 0);
    child.kill('SIGTERM');
  });
  const { code, stderr } = await ended(child);
  assert.match(stderr, /"listening"/);
  assert.equal(code, 0);
});

test('whoever reads the output may stop reading', async () => {
  const child = start(['models'], server.address);
  child.stdout.destroy();
  const [code] = await once(child, 'exit');
  assert.equal(code, 0);
});

test('the demonstration runs, shows a list that changes, and leaves nothing behind', async () => {
  const demo = fileURLToPath(new URL('demo.ts', import.meta.url));
  const { stdout, stderr } = await execute(process.execPath, [demo], {
    env: { ...process.env, TMPDIR: folder },
  });
  assert.match(stdout, /100,836 ratings learned/);
  assert.match(stdout, / (new|up \d+)\n/);
  assert.match(stdout, /the same list/);
  assert.match(stdout, /mf +rmse +0\.8\d+ +100,842/);
  // Nothing but progress, where the machine is slow.
  assert.match(stderr, /^(\d+% \| .* left\n)*$/);
  assert.deepEqual(
    (await readdir(folder)).filter((name) => name.startsWith('accrete-demo')),
    [],
  );
});
