import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Lab } from '../../../test/laws/lab.ts';
import { makeFolder } from '../../../test/support/temporary-folder.ts';
import { AccreteError } from '../../errors.ts';
import { loadPlugin } from '../../models/plugins.ts';
import { NOTHING_HELD } from '../../store/held.ts';
import { type MadeTensor, makeIds, makeModelBytes } from '../../store/models/testing/file-maker.ts';
import { DeviceMeter } from '../../tensor/device-meter.ts';
import { LocalDevice } from '../../tensor/local-device.ts';
import type { JobContext } from '../job-context.ts';
import { Meter } from '../meter.ts';
import { checkFileSource, readFileSource } from './file-source.ts';
import { joinSources } from './make-candidate.ts';
import { SourceMemory } from './source-memory.ts';
import type { SourceTask } from './source-tasks.ts';
import { bringSources } from './sources.ts';
import { STRATEGIES } from './strategies/strategies.ts';

const data = makeFolder({ after });
mkdirSync(join(data, 'imports'));
const path = join(data, 'imports', 'made.safetensors');
const plugin = await loadPlugin('mf');
const SETTINGS = { k: 2, base: 'biases', ranking: 'taste' };
const lab = new Lab(plugin, plugin.config.parse(SETTINGS)).teachAll([
  { user: 'ann', item: 'x', value: 4 },
  { user: 'bob', item: 'y', value: 2 },
]);

const METADATA = {
  accrete: '1',
  plugin: 'mf',
  config: JSON.stringify(SETTINGS),
  stateVersion: String(plugin.stateVersion),
  tables: JSON.stringify({
    users: { index: 'user', rows: 3 },
    items: { index: 'item', rows: 1 },
    model: { index: 'model', rows: 1 },
  }),
};

/** As a trainer elsewhere would write it: no more than what it has learned. */
const TENSORS: readonly MadeTensor[] = [
  ...makeIds('users', ['bob', 'stranger', 'ann']),
  ...makeIds('items', ['y']),
  { name: 'table.users.vector', dtype: 'F32', shape: [3, 2], values: Float32Array.of(1, 2, 3, 4, 5, 6) },
  { name: 'table.users.ratings', dtype: 'U32', shape: [3], values: Uint32Array.of(7, 8, 9) },
  { name: 'table.users.unheard', dtype: 'F32', shape: [3, 9], values: new Float32Array(27) },
  { name: 'table.items.vector', dtype: 'F32', shape: [1, 2], values: Float32Array.of(-1, -2) },
  { name: 'table.items.ratings', dtype: 'U32', shape: [1], values: Uint32Array.of(3) },
  { name: 'table.model.sum', dtype: 'F64', shape: [1], values: Float64Array.of(11) },
];

const makeTerms = () => ({
  strategy: STRATEGIES.AVERAGE,
  own: [],
  held: NOTHING_HELD,
  start: 20,
  data,
  memory: new SourceMemory(1),
});

type Change = { readonly [name: string]: Partial<MadeTensor> | undefined };
const read = (metadata: object, change: Change = {}, strategy: 'AVERAGE' | 'CONCAT' | 'COUNTS' = 'AVERAGE') => {
  const kept = TENSORS.filter(({ name }) => !(name in change) || change[name]);
  const tensors = kept.map((tensor) => ({ ...tensor, ...change[tensor.name] }));
  writeFileSync(path, makeModelBytes({ ...METADATA, ...metadata }, tensors));
  const source = { type: 'file', field: 'sources[0].file', file: 'made.safetensors' } as const;
  const terms = { ...makeTerms(), strategy: STRATEGIES[strategy], own: [{ store: 'a', after: 0, to: 30 }] };
  return readFileSource(source, lab.model, terms);
};

test('rows of a file are found by their ids; those of strangers are left out, and what it lacks is not known', () => {
  const { blocks, isForeign, unknownRows } = read({});
  const of = (name: string) => [...(blocks.get(name)?.values ?? [])];
  assert.deepEqual([isForeign, unknownRows], [true, 1]);
  assert.deepEqual(of('users.vector'), [5, 6, 1, 2]);
  assert.deepEqual(of('users.ratings'), [9, 7]);
  assert.deepEqual(of('items.vector'), [0, 0, -1, -2]);
  assert.deepEqual(of('items.ratings'), [0, 3]);
  assert.deepEqual(of('model.sum'), [11]);
  assert.deepEqual([blocks.has('users.bias'), blocks.has('users.unheard')], [false, false]);
});

test('a file of this store holds what its models had learned, whichever it is of', () => {
  const learned = (...stretches: [store: string, after: number, to: number][]) => ({
    learned: JSON.stringify(stretches.map(([store, after, to]) => ({ store, after, to }))),
  });
  for (const own of [learned(['a', 0, 20]), learned(['a', 0, 20], ['b', 20, 90])])
    assert.equal(read(own).isForeign, false);
  for (const other of [learned(['b', 0, 21]), learned(), {}]) assert.equal(read(other).isForeign, true);
  for (const late of [learned(['a', 0, 21]), learned(['c', 0, 7], ['a', 0, 21])])
    assert.throws(() => read(late), {
      reason: 'WINDOW_SEEN',
      message:
        /^sources\[0\]\.file: made\.safetensors holds .* after record 20: it has learned what came up to record 21;/,
    });
  for (const text of [
    '{}',
    '[{"store":"a"}]',
    '[{"store":"/tmp/x","after":0,"to":1}]',
    '[{"store":"a","after":0,"to":-1}]',
  ])
    assert.throws(() => read({ learned: text }), { reason: 'FILE_FOREIGN', message: /"learned" is no list of/ });
});

test('the same bytes count once, unless that is forced, and what is held besides grows', async () => {
  read({});
  copyFileSync(path, join(data, 'imports', 'same.safetensors'));
  const [made, same] = ['made', 'same'].map(
    (name, n) => ({ type: 'file', field: `sources[${n}].file`, file: `${name}.safetensors` }) as const,
  );
  const context = { meter: new Meter(() => {}) } as JobContext;
  const terms = makeTerms();
  const bring = (sources: SourceTask[], force = false, held = NOTHING_HELD) =>
    bringSources(sources, lab.model, { ...terms, held }, force, context);
  const { held } = await bring([made]);
  assert.equal(held.files.length, 1);
  const refusal = { reason: 'ALREADY_FUSED', message: /^sources\[1\]\.file: same\.safetensors has the same bytes/ };
  await assert.rejects(bring([made, same]), refusal);
  await assert.rejects(bring([same], false, held), refusal);
  assert.deepEqual((await bring([made, same], true)).held, held);
  const others = { learned: [{ store: 'b', after: 0, to: 5 }], files: ['0'.repeat(64)] };
  assert.deepEqual((await bring([made], false, others)).held, {
    learned: others.learned,
    files: [...others.files, ...held.files],
  });
});

test('what sources take, and what is made of them, stays within the memory of a job', async () => {
  read({});
  const source = { type: 'file', field: 'sources[0].file', file: 'made.safetensors' } as const;
  const context = {
    meter: new Meter(() => {}),
    device: new LocalDevice(2 ** 20, new DeviceMeter()),
  } as unknown as JobContext;
  const fuseWithin = async (bytes: number, usedBytes = 0) => {
    const memory = new SourceMemory(bytes / 2 ** 20);
    memory.beside({ usedBytes });
    const target = new Lab(plugin, lab.model.descriptor.config).teachAll([
      { user: 'ann', item: 'x', value: 4 },
      { user: 'bob', item: 'y', value: 2 },
    ]);
    const { membersFor } = await bringSources([source], target.model, { ...makeTerms(), memory }, true, context);
    const options = { seed: 1, rank: 0, force: true };
    await joinSources(target.model, membersFor, STRATEGIES.AVERAGE, options, { ...context, memory });
  };
  await fuseWithin(2000);
  const refusal = { reason: 'MEMORY_FULL', message: /jobs\.memoryMiB allows .*: name fewer sources, or raise it/ };
  for (const bytes of [0, 60, 300]) await assert.rejects(fuseWithin(bytes), refusal);
  await assert.rejects(fuseWithin(2000, 1990), refusal);
});

test('a file that is not there is refused with those that are', () => {
  const source = { type: 'file', field: 'sources[0].file', file: 'other' } as const;
  assert.throws(() => checkFileSource(source, lab.model, makeTerms()), {
    reason: 'IMPORT_NOT_FOUND',
    message: /no model file "other" was imported; there are made\.safetensors/,
  });
});

test('a file that does not fit says why', () => {
  const config = (settings: object) => ({ config: JSON.stringify({ ...SETTINGS, ...settings }) });
  const wide = { 'table.users.vector': { shape: [3, 3], values: new Float32Array(9) } };
  const tables = (change: object) => ({ tables: JSON.stringify({ ...JSON.parse(METADATA.tables), ...change }) });
  const huge = { shape: [3, 4096], values: new Float32Array(3 * 4096) };
  const cases: [() => unknown, RegExp][] = [
    [() => read(tables({ items: { index: 'pool', rows: 1 } })), /has items.vector by pool, and mf has it by item/],
    [() => read(tables({ items: { index: 'user', rows: 1 } })), /has items.vector by user, and mf has it by item/],
    [() => read({}, { 'table.users.vector': huge }, 'CONCAT'), /has 4096 factors .* mf has 2: at most 512 can stand/],
    [() => read({ plugin: '/tmp/evil.ts' }), /is of plugin "\/tmp\/evil.ts", and mf of "mf"/],
    [() => read({ stateVersion: '2' }), /state version 2/],
    [() => read(config({ k: -1 })), /settings that its plugin does not take/],
    [() => read(config({ base: 'bayes' })), /has base "bayes", and mf has "biases"/],
    [() => read(config({ mean: false })), /has mean false, and mf has true/],
    [() => read({}, { 'table.users.ratings': undefined }), /users.vector without users.ratings/],
    [() => read({}, { 'table.items.vector': undefined }), /not all factors of taste: items.vector is missing/],
    [() => read({}, wide), /has 3 factors \(users.vector\), and mf has 2: FUSE_STRATEGY_CONCAT/],
    [() => read({}, { 'table.model.sum': { dtype: 'F32', values: new Float32Array(1) } }), /has model.sum as f32/],
    [() => read({}, {}, 'COUNTS'), /cannot be fused so, since it has more than counts/],
  ];
  for (const [call, message] of cases) {
    assert.throws(call, (error) => {
      assert(error instanceof AccreteError, String((error as Error).stack));
      assert.equal(error.reason, 'INVALID_FIELD');
      assert.match(error.message, message);
      assert.match(error.message, /^sources\[0\]\.file \(made\.safetensors\)/);
      return true;
    });
  }
});
