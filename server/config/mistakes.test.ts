import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { AccreteError } from '../errors.ts';
import { type ConfigSources, loadConfig, parseConfig } from './load.ts';
import type { ConfigInput } from './schema.ts';

const directory = mkdtempSync(join(tmpdir(), 'accrete-config-'));
const home = process.cwd();
process.chdir(directory); // so that messages name files without their directory
after(() => {
  process.chdir(home);
  rmSync(directory, { recursive: true });
});

/** The mistakes of a configuration, one `field: description` each. */
function listMistakes({ yaml, env = {}, flags = [] }: Partial<ConfigSources> & { yaml?: string }): string[] {
  if (yaml !== undefined) writeFileSync('a.yaml', yaml);
  return listViolations(() => loadConfig({ file: yaml === undefined ? undefined : 'a.yaml', env, flags }));
}

function listViolations(load: () => unknown): string[] {
  try {
    load();
  } catch (error) {
    assert(error instanceof AccreteError);
    assert.equal(error.reason, 'CONFIG_INVALID');
    const lines = error.violations.map(({ field, description }) => `${field}: ${description}`);
    for (const line of lines) assert(error.message.includes(line), `the message lacks "${line}"`);
    return lines;
  }
  return [];
}

const ADDRESS = '`host:port`, `[IPv6]:port` (port 0: any free one) or `unix:/absolute/path`';
const MODEL_NAME = 'a lower-case letter, then at most 62 of `a-z`, `0-9`, `_`, `.` and `-`';
const MODELS = 'a list of 1 to 64 models, each with `name`, `plugin` and, if wanted, `config` and `fuse`';

const files: [yaml: string, mistake: string][] = [
  ['lisen: a:1', 'lisen: a.yaml:1 has a key that is not known; the nearest known one is `listen`'],
  ['ratng: { min: 1 }', 'ratng: a.yaml:1 has a key that is not known; the nearest known one is `rating`'],
  ['log:\n  lvl: info', 'log.lvl: a.yaml:2 has a key that is not known; the nearest known one is `log.level`'],
  ['window: 9', 'window: a.yaml:1 has a key that is not known; the nearest known one is `evaluation.window`'],
  [
    'rating.min: 0',
    'rating.min: a.yaml:1 has a key that is not known; write it as a section: `rating:` and in it `min`',
  ],
  ['__proto__: 1', '__proto__: a.yaml:1 has a key that is not known; the nearest known one is `imports`'],
  ['rating: 5', 'rating: a.yaml:1 holds 5; it takes keys and values'],
  ['- rating', "a.yaml:1: a.yaml:1 holds [ 'rating' ]; it takes keys and values"],
  ['rating:\n  min: low', "rating.min: a.yaml:2 holds 'low'; it takes a number from -1000000 to 1000000"],
  ['rating:\n  min: "0"', "rating.min: a.yaml:2 holds '0'; it takes a number from -1000000 to 1000000"],
  ['rating: { max: .inf }', 'rating.max: a.yaml:1 holds Infinity; it takes a number from -1000000 to 1000000'],
  ['rating: { max: .nan }', 'rating.max: a.yaml:1 holds NaN; it takes a number from -1000000 to 1000000'],
  ['data:', 'data: a.yaml:1 holds null; it takes a path'],
  ['reflection: 1', 'reflection: a.yaml:1 holds 1; it takes `true` or `false`'],
  ['models: []', `models: a.yaml:1 holds []; it takes ${MODELS}`],
  ['models:\n  - { name: MF, plugin: mf }', `models[0].name: a.yaml:2 holds 'MF'; it takes ${MODEL_NAME}`],
  ['models:\n  - { name: a }', 'models[0].plugin: a.yaml:2 lacks it; it takes a name, a path or a package'],
  [
    'models:\n  - { name: a, plugin: b }\n  - { name: c, plugin: d, confg: {} }',
    'models[1].confg: a.yaml:3 has a key that is not known; the nearest known one is `config`',
  ],
  [
    'models:\n  - { name: a, plugin: b, config: 3 }',
    'models[0].config: a.yaml:2 holds 3; it takes a mapping of settings',
  ],
  [
    'kinds: [click]',
    "kinds: a.yaml:1 holds [ 'click' ]; it takes a mapping of at most 64 names of kinds to what they mean",
  ],
  ['kinds:\n  Click: {}', `kinds.Click: a.yaml:2 has the name 'Click'; it takes ${MODEL_NAME}`],
  [
    'kinds:\n  click:\n  view: {}',
    'kinds.click: a.yaml:2 holds null; it takes a mapping with, if wanted, `weight`, `hides`, `exposure` and `answers`',
  ],
  ['kinds:\n  click: { weight: 11 }', 'kinds.click.weight: a.yaml:2 holds 11; it takes a number from 0 to 10'],
  [
    'kinds: { click: { weigth: 1 } }',
    'kinds.click.weigth: a.yaml:1 has a key that is not known; the nearest known one is `weight`',
  ],
  ['data: a\ndata: b', 'a.yaml:2: this is not YAML: Map keys must be unique'],
  ['data: !secret a', 'a.yaml:1: this is not YAML: Unresolved tag: !secret'],
  ['data: *a', 'a.yaml: the file cannot be read: Unresolved alias (the anchor must be set before the alias): a'],
  ['#'.repeat(2 ** 20 + 1), 'a.yaml: the file is longer than 1048576 bytes'],
];

for (const [yaml, mistake] of files) {
  test(`file: ${mistake}`, () => assert.deepEqual(listMistakes({ yaml }), [mistake]));
}

const variables: [variable: string, text: string, mistake: string][] = [
  [
    'ACCRETE_RATNG_MIN',
    '0',
    'ACCRETE_RATNG_MIN: this variable is not known; the nearest known one is `ACCRETE_RATING_MIN`',
  ],
  ['ACCRETE_LISTEN', 'localhost', `listen: ACCRETE_LISTEN holds 'localhost'; it takes ${ADDRESS}`],
  [
    'ACCRETE_METRICS_LISTEN',
    'on',
    `metrics.listen: ACCRETE_METRICS_LISTEN holds 'on'; it takes ${ADDRESS}, or \`off\``,
  ],
  ['ACCRETE_RING_MIB', '8.5', 'ring.mib: ACCRETE_RING_MIB holds 8.5; it takes a whole number from 8 to 1024 (MiB)'],
  ['ACCRETE_RING_MIB', '0x10', "ring.mib: ACCRETE_RING_MIB holds '0x10'; it takes a whole number from 8 to 1024 (MiB)"],
  [
    'ACCRETE_MEMORY_BUDGET_MIB',
    '4097',
    'memory.budgetMiB: ACCRETE_MEMORY_BUDGET_MIB holds 4097; it takes a whole number from 64 to 4096 (MiB)',
  ],
  ['ACCRETE_REFLECTION', 'yes', "reflection: ACCRETE_REFLECTION holds 'yes'; it takes `true` or `false`"],
  ['ACCRETE_MODELS', '[oops', `models: ACCRETE_MODELS holds '[oops'; it takes ${MODELS}`],
  ['ACCRETE_MODELS', 'mf,', `models[1].name: ACCRETE_MODELS holds ''; it takes ${MODEL_NAME}`],
  ['ACCRETE_KINDS', 'click,', `kinds.: ACCRETE_KINDS has the name ''; it takes ${MODEL_NAME}`],
  [
    'ACCRETE_KINDS',
    '{oops',
    "kinds: ACCRETE_KINDS holds '{oops'; it takes a mapping of at most 64 names of kinds to what they mean",
  ],
  [
    'ACCRETE_LOG_LEVEL',
    'loud',
    "log.level: ACCRETE_LOG_LEVEL holds 'loud'; it takes one of `trace`, `debug`, `info`, `warn`, `error`, `fatal`, `silent`",
  ],
];

for (const [variable, text, mistake] of variables) {
  test(`environment: ${mistake}`, () => {
    const mistakes = listMistakes({ env: { [variable]: text } });
    assert.equal(mistakes[0], mistake);
    assert(mistakes.every((line) => line.includes(variable)));
  });
}

const commandLines: [flags: string[], mistake: string][] = [
  [['--lisen', 'a:1'], '--lisen: this flag is not known; the nearest known one is `--listen`'],
  [['--confg=x'], '--confg: this flag is not known; the nearest known one is `--config`'],
  [['--rating=5'], '--rating: this flag is not known; the nearest known one is `--rating.min`'],
  [['--data', '--reflection'], '--data: its value is missing; it takes a path'],
  [['--data='], '--data: its value is missing; it takes a path'],
  [['--config'], '--config: its value is missing; it takes a path'],
  [['serve'], 'serve: this argument is not known; settings are written `--key=value`'],
  [['-l', '--listen=127.0.0.1:1'], '-l: this argument is not known; settings are written `--key=value`'],
  [['--rating.min=one'], "rating.min: --rating.min holds 'one'; it takes a number from -1000000 to 1000000"],
  [
    ['--config=missing.yaml'],
    "missing.yaml: the file cannot be read: ENOENT: no such file or directory, open 'missing.yaml'",
  ],
];

for (const [flags, mistake] of commandLines) {
  test(`flags: ${mistake}`, () => assert.deepEqual(listMistakes({ flags }), [mistake]));
}

const disagreements: [flags: string[], mistake: string][] = [
  [['--rating.min=5'], 'rating.min: --rating.min holds 5; it must be less than `rating.max` (5)'],
  [['--rating.max=0'], 'rating.min: the default holds 1; it must be less than `rating.max` (0)'],
  [
    ['--limits.messageBytes=8388609'],
    'ring.mib: the default holds 16; it must be at least 17, twice `limits.messageBytes`',
  ],
  [
    ['--models=a,b', '--defaultModel=c'],
    "defaultModel: --defaultModel holds 'c'; it takes the name of one of `models` (a, b)",
  ],
  [
    ['--models=a,b,a'],
    "models: --models holds [ { name: 'a', plugin: 'a' }, { name: 'b', plugin: 'b' }, { name: 'a', plugin: 'a' } ]; " +
      'two models are called `a`; each needs a name of its own',
  ],
  [
    ['--listen=127.0.0.1:1', '--metrics.listen=127.0.0.1:1'],
    "metrics.listen: --metrics.listen holds '127.0.0.1:1'; it must differ from `listen`",
  ],
];

for (const [flags, mistake] of disagreements) {
  test(`together: ${mistake}`, () => assert.deepEqual(listMistakes({ flags }), [mistake]));
}

test('there are at most 64 kinds', () => {
  const kinds = Array.from({ length: 65 }, (_, n) => `kind-${n}`).join();
  const [mistake] = listMistakes({ flags: [`--kinds=${kinds}`] });
  assert.match(mistake, /^kinds: --kinds holds .*; it takes at most 64 kinds$/);
});

test('what just fits together is taken', () => {
  assert.deepEqual(listMistakes({ flags: ['--limits.messageBytes=8388608'] }), []);
  assert.deepEqual(listMistakes({ flags: ['--listen=127.0.0.1:0', '--metrics.listen=127.0.0.1:0'] }), []);
});

test('all mistakes of all sources are named at once, those between keys too', () => {
  const mistakes = listMistakes({
    yaml: 'ratng: {}\ndata: 3\nrating: { min: 9 }',
    env: { ACCRETE_LISEN: 'x', ACCRETE_RING_MIB: 'x' },
    flags: ['--lisen=x', '--drain.timeoutMs=-1'],
  });
  assert.deepEqual(
    mistakes.map((line) => line.slice(0, line.indexOf(':'))),
    ['ratng', 'ACCRETE_LISEN', '--lisen', 'data', 'ring.mib', 'drain.timeoutMs', 'rating.min'],
  );
});

test('a value that is wrong in two ways is one mistake', () => {
  assert.equal(listMistakes({ flags: ['--ring.mib=5000.5'] }).length, 1);
});

test('a rule waits until the keys that it looks at are right', () => {
  assert.equal(listMistakes({ flags: ['--rating.min=9', '--rating.max=high'] }).length, 1);
});

test('aliases that explode or contain themselves are refused', () => {
  const bomb = [
    'a: &a [1,1,1,1,1,1,1,1,1]',
    'b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]',
    'c: [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]',
  ];
  for (const yaml of [bomb.join('\n'), 'models: &a [*a]']) {
    const [mistake] = listMistakes({ yaml });
    assert.match(mistake, /^a\.yaml: the file cannot be read: /);
  }
});

test('a long value is cut in the message', () => {
  const [mistake] = listMistakes({ env: { ACCRETE_LISTEN: 'x'.repeat(10_000) } });
  assert(mistake.length < 300, mistake);
  assert.match(mistake, /xxx…; it takes/);
});

test('what a program leaves undefined is the default, in messages too', () => {
  assert.deepEqual(
    listViolations(() => parseConfig({ rating: { min: undefined, max: 0 } })),
    ['rating.min: the default holds 1; it must be less than `rating.max` (0)'],
  );
});

test('a program is told its mistakes too, whatever it gives', () => {
  const input = { data: 10n, rating: [], models: () => [], extra: 1 } as unknown as ConfigInput;
  assert.deepEqual(
    listViolations(() => parseConfig(input)),
    [
      'rating: the given configuration holds []; it takes keys and values',
      'extra: the given configuration has a key that is not known; the nearest known one is `data`',
      'data: the given configuration holds 10n; it takes a path',
      `models: the given configuration holds [Function: models]; it takes ${MODELS}`,
    ],
  );
});
