import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Model, ModelState } from '../../../proto/gen/accrete/v1/model.ts';
import type { Finding } from './findings.ts';
import { examineLocal, type Local } from './local.ts';
import { examineServer, type Running } from './running.ts';
import { parseSamples, valueIn } from './samples.ts';

const GIB = 1024 ** 3;

const SAMPLES = `# HELP accrete_memory_bytes The budget.
# TYPE accrete_memory_bytes gauge
accrete_memory_bytes{state="budget"} 1000000
accrete_memory_bytes{state="used"} 100000
accrete_disk_bytes{state="total"} ${100 * GIB}
accrete_disk_bytes{state="free"} ${50 * GIB}
accrete_update_lag_seconds 0.002
accrete_rate_requests_total{result="accepted"} 1000
accrete_rate_requests_total{result="refused"} 1
`;

function running(more: Partial<Running> = {}, text = SAMPLES): Running {
  const models = [Model.fromPartial({ name: 'mf', state: ModelState.MODEL_STATE_AVAILABLE })];
  const common = { address: 'here:1', serves: true, writes: true, metricsAddress: 'here:2' };
  return { ...common, models, samples: parseSamples(text), ...more };
}

const LOCAL: Local = {
  versions: { accrete: '1.0.0', node: 'v24.0.0', storeFormat: 2 },
  faults: [],
  settings: [{ key: 'memory.budgetMiB', value: 4096, source: 'default' }],
  data: {
    path: '/data',
    exists: true,
    bytes: 3 * GIB,
    format: 2,
    journal: { links: 1, bytes: GIB, firstLinkFrom: '00000000000000000001', lastLinkFrom: '00000000000000000001' },
    state: {
      bytes: GIB,
      checkpoints: [{ revision: '00000000000000000900', createdMs: Date.now() - 300_000, bytes: GIB, files: 2 }],
      damaged: [],
      versions: { files: 0, bytes: 0 },
    },
    imports: [{ name: 'shard', bytes: GIB }],
    disk: { free: 50 * GIB, total: 100 * GIB },
  },
  memory: { total: 16 * GIB },
};

/** What is not well, by what it is about. */
function troubles(findings: readonly Finding[]): string[] {
  return findings.filter(({ level }) => level !== 'ok').map(({ level, subject }) => `${level} ${subject}`);
}

test('a server that is well', () => {
  const findings = examineServer(running());
  assert.deepEqual(troubles(findings), []);
  assert.deepEqual(
    findings.map(({ subject }) => subject),
    ['server', 'model mf', 'memory', 'disk', 'queue'],
  );
  assert.equal(findings[2].text, '97.7 KiB of 976.6 KiB are taken (10%)');
});

test('without metrics nobody knows why a server cannot write', () => {
  const [, journal] = examineServer(running({ writes: false, samples: undefined }));
  assert.equal(journal.subject, 'journal');
  assert.match(journal.advice, /log of the server.*make room.*--repair/);
});

const servers: { what: string; found: Running; trouble: string; advice: RegExp }[] = [
  {
    what: 'does not serve',
    found: running({ serves: false, models: [], samples: undefined }),
    trouble: 'attention server',
    advice: /wait/,
  },
  { what: 'cannot write', found: running({ writes: false }), trouble: 'attention journal', advice: /make room/ },
  {
    what: 'found its journal damaged',
    found: running({ writes: false }, `${SAMPLES}\naccrete_journal_damaged 1\n`),
    trouble: 'attention journal',
    advice: /--repair/,
  },
  { what: 'has no metrics', found: running({ samples: undefined }), trouble: 'note metrics', advice: /--metrics/ },
  {
    what: 'has a model that failed',
    found: running({
      models: [Model.fromPartial({ name: 'x', state: ModelState.MODEL_STATE_END, stateReason: 'NaN' })],
    }),
    trouble: 'attention model x',
    advice: /unload/,
  },
  {
    what: 'loads a model',
    found: running({ models: [Model.fromPartial({ name: 'x', state: ModelState.MODEL_STATE_LOADING })] }),
    trouble: 'note model x',
    advice: /--watch/,
  },
  {
    what: 'has a model that learns nothing of the events that come',
    found: running({
      models: [
        Model.fromPartial({ name: 'x', state: ModelState.MODEL_STATE_AVAILABLE, capabilities: ['score'] }),
        Model.fromPartial({ name: 'y', state: ModelState.MODEL_STATE_AVAILABLE, learnedCount: 1n }),
      ],
    }),
    trouble: 'note model x',
    advice: /send values/,
  },
  {
    what: 'is nearly out of memory',
    found: running({}, SAMPLES.replace('"used"} 100000', '"used"} 800000')),
    trouble: 'attention memory',
    advice: /memory\.budgetMiB/,
  },
  {
    what: 'is nearly out of disk',
    found: running({}, SAMPLES.replace(String(50 * GIB), String(4 * GIB))),
    trouble: 'attention disk',
    advice: /make room/,
  },
  {
    what: 'lags',
    found: running({}, SAMPLES.replace('0.002', '9.5')),
    trouble: 'attention queue',
    advice: /send slower/,
  },
  {
    what: 'refuses much',
    found: running({}, SAMPLES.replace('"refused"} 1', '"refused"} 100')),
    trouble: 'note requests',
    advice: /errors/,
  },
];

for (const { what, found, trouble, advice } of servers) {
  test(`a server that ${what}`, () => {
    const findings = examineServer(found);
    assert.deepEqual(troubles(findings), [trouble]);
    assert.match(findings.find(({ level }) => level !== 'ok')?.advice ?? '', advice);
  });
}

const { data } = LOCAL;
assert.ok(data);
const fault = { reason: 'CONFIG_INVALID', message: '', violations: [{ field: 'rating.min', description: 'is 7' }] };
const holder = { pid: 7, host: 'here', since: '2026-01-01' };

const folders: { what: string; found: Local; answers?: boolean; trouble: string[] }[] = [
  { what: 'is well', found: LOCAL, trouble: [] },
  {
    what: 'has a mistake in its configuration',
    found: { ...LOCAL, faults: [fault] },
    trouble: ['attention configuration'],
  },
  {
    what: 'asks for more memory than there is',
    found: { ...LOCAL, memory: { total: 4 * GIB } },
    trouble: ['attention budget'],
  },
  { what: 'is of a newer version', found: { ...LOCAL, data: { ...data, format: 3 } }, trouble: ['attention format'] },
  {
    what: 'does not say its format',
    found: { ...LOCAL, data: { ...data, format: undefined } },
    trouble: ['attention format'],
  },
  {
    what: 'is on a full disk',
    found: { ...LOCAL, data: { ...data, disk: { free: 1, total: 9 } } },
    trouble: ['attention room', 'attention disk'],
  },
  {
    what: 'has no checkpoint yet',
    found: { ...LOCAL, data: { ...data, state: { ...data.state, checkpoints: [] } } },
    trouble: ['note checkpoints'],
  },
  {
    what: 'has no checkpoint, nor the beginning of its journal',
    found: {
      ...LOCAL,
      data: {
        ...data,
        journal: { ...data.journal, firstLinkFrom: '00000000000000000007' },
        state: { ...data.state, checkpoints: [] },
      },
    },
    trouble: ['attention checkpoints'],
  },
  {
    what: 'has a damaged checkpoint',
    found: { ...LOCAL, data: { ...data, state: { ...data.state, damaged: ['the checkpoint x is damaged'] } } },
    trouble: ['attention checkpoint'],
  },
  {
    what: 'has no room for the next checkpoint',
    found: { ...LOCAL, data: { ...data, disk: { free: GIB - 1, total: GIB } } },
    trouble: ['attention room', 'attention disk'],
  },
  { what: 'is in use elsewhere', found: { ...LOCAL, data: { ...data, holder } }, trouble: ['note store'] },
  { what: 'is in use here', found: { ...LOCAL, data: { ...data, holder } }, answers: true, trouble: [] },
  { what: 'is not there', found: { ...LOCAL, data: { ...data, exists: false, format: undefined } }, trouble: [] },
];

for (const { what, found, answers = false, trouble } of folders) {
  test(`a folder that ${what}`, () => assert.deepEqual(troubles(examineLocal(found, answers)), trouble));
}

test('the sizes of a store', () => {
  const versions = { files: 3, bytes: GIB / 2 };
  const journal = { ...data.journal, links: 7, firstLinkFrom: '00000000000000000800' };
  const findings = examineLocal({ ...LOCAL, data: { ...data, journal, state: { ...data.state, versions } } }, false);
  const about = (subject: string) => findings.find((finding) => finding.subject === subject)?.text;
  assert.equal(
    about('records'),
    'the journal has 1.0 GiB in 7 files; what came before revision 00000000000000000800 is not kept',
  );
  assert.equal(
    about('checkpoints'),
    '00000000000000000900 (5 min ago, 1.0 GiB in 2 files); state/ holds 1.0 GiB, of which 3 versions of models 512.0 MiB',
  );
  const used = `${SAMPLES}accrete_table_bytes{model="a",table="x"} 2048\naccrete_table_bytes{model="b",table="x"} 1024\n`;
  const memory = examineServer(running({}, used)).find(({ subject }) => subject === 'memory');
  assert.match(
    memory?.text ?? '',
    /^97\.7 KiB of 976\.6 KiB are taken \(10%\): 3\.0 KiB by tables of models, the rest/,
  );
});

test('figures are found by name and labels', () => {
  const samples = parseSamples('a{x="1",y="q\\"{"} 2.5\na{x="2"} 1e3 1700000000\nb 7\n# c 1\n');
  assert.deepEqual(
    [valueIn(samples, 'a', { x: '2' }), valueIn(samples, 'b'), valueIn(samples, 'c')],
    [1000, 7, undefined],
  );
});

test('devices: which one is used, why not the others, and how to get them', () => {
  const tensorflow = { name: 'tensorflow', adapter: 'TensorFlow 2.18.1', accelerated: false, crossover: 2 ** 20 };
  const missing = { name: 'webgpu', why: 'it is not installed', remedy: 'run `npm run setup:webgpu`' };
  const broken = { name: 'webgpu', why: 'this machine has no graphics card' };
  const found = (devices: NonNullable<Local['devices']>) =>
    examineLocal({ ...LOCAL, devices }, true)
      .filter(({ subject }) => subject.startsWith('device'))
      .map(({ level, text, advice }) => `${level}: ${text}${advice && ` -> ${advice}`}`);
  assert.deepEqual(found({ setting: 'auto', used: 'tensorflow', trials: [tensorflow, missing] }), [
    'ok: whole matrices are computed on tensorflow: TensorFlow 2.18.1, faster than cpu from 1,048,576 multiplications on (found by itself)',
    'ok: not used, since it is not installed; to get it, run `npm run setup:webgpu`',
  ]);
  assert.deepEqual(found({ setting: 'cpu', used: 'cpu', trials: [tensorflow, broken] }), [
    'ok: whole matrices are computed on cpu, which is always there (as it is set)',
    'ok: not used, since device is cpu: TensorFlow 2.18.1; to use it, set device to tensorflow',
    'note: not used, since it fails: this machine has no graphics card -> see docs/devices.md',
  ]);
  assert.deepEqual(found({ setting: 'webgpu', used: 'webgpu', trials: [missing] }), [
    'attention: webgpu is set, and cannot be used: it is not installed -> run `npm run setup:webgpu`',
  ]);
});
