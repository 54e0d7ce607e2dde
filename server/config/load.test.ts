import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { AccreteError } from '../errors.ts';
import { type ConfigSources, type LoadedConfig, loadConfig, parseConfig } from './load.ts';
import { settings } from './settings.ts';

const directory = mkdtempSync(join(tmpdir(), 'accrete-config-'));
const home = process.cwd();
process.chdir(directory); // no stray accrete.yaml
after(() => {
  process.chdir(home);
  rmSync(directory, { recursive: true });
});

let files = 0;

function write(text: string, name = `${files++}.yaml`): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

function load({ file, env = {}, flags = [] }: Partial<ConfigSources>): LoadedConfig {
  return loadConfig({ file, env, flags });
}

test('nothing given: every key has its default', () => {
  const { config, sources } = load({});
  assert.equal(config.listen, '127.0.0.1:50051');
  assert.equal(config.data, './data');
  assert.equal(config.metrics.listen, '127.0.0.1:9464');
  assert.deepEqual(config.rating, { min: 1, max: 5 });
  assert.deepEqual(
    config.models.map(({ name, plugin }) => `${name}=${plugin}`),
    ['stack=stack', 'mf=mf', 'item-cf=item-cf', 'biases=mf', 'popularity=popularity'],
  );
  assert.equal(config.defaultModel, 'stack');
  assert.equal(config.limits.messageBytes, 4 * 2 ** 20);
  assert.deepEqual([...sources.keys()], [...settings.keys()]);
  assert.deepEqual(new Set(sources.values()), new Set(['default']));
});

test('the file wins over the default, the environment over the file, a flag over the environment', () => {
  const file = write('rating: { min: -1, max: 10 }\nlog: { level: debug }\ndrain: { timeoutMs: 1 }\n');
  const env = { ACCRETE_RATING_MAX: '20', ACCRETE_LOG_LEVEL: 'warn' };
  const { config, sources } = load({ file, env, flags: ['--log.level=error'] });
  assert.deepEqual([config.rating.min, config.rating.max, config.log.level], [-1, 20, 'error']);
  assert.equal(config.drain.timeoutMs, 1);
  assert.equal(sources.get('rating.min'), 'file');
  assert.equal(sources.get('rating.max'), 'environment');
  assert.equal(sources.get('log.level'), 'flag');
  assert.equal(sources.get('data'), 'default');
});

test('a wrong value that a later source replaces is no mistake', () => {
  assert.equal(load({ env: { ACCRETE_RING_MIB: 'many' }, flags: ['--ring.mib', '64'] }).config.ring.mib, 64);
});

test('accrete.yaml of the working directory is read unless another file is named', () => {
  const usual = write('data: ./usual\n', 'accrete.yaml');
  const named = write('data: ./named\n');
  const flagged = write('data: ./flagged\n');
  try {
    assert.equal(load({}).config.data, './usual');
    assert.equal(load({ file: named }).config.data, './named');
    assert.equal(load({ file: named, flags: ['--config', flagged] }).config.data, './flagged');
    assert.equal(load({ file: named, flags: [`--config=${flagged}`] }).config.data, './flagged');
  } finally {
    rmSync(usual);
  }
});

test('an empty file and empty sections set nothing', () => {
  assert.deepEqual(load({ file: write('') }), load({}));
  assert.deepEqual(load({ file: write('# nothing\nrating:\nlog: {}\n') }), load({}));
});

test('JSON is a configuration file too', () => {
  assert.equal(load({ file: write('{"rating": {"max": 7}}', 'accrete.json') }).config.rating.max, 7);
});

test('every setting has the variable that its path spells', () => {
  const variables = [...settings.values()].map(({ variable }) => variable);
  assert.equal(new Set(variables).size, variables.length);
  assert.equal(settings.get('evaluation.rankEvery')?.variable, 'ACCRETE_EVALUATION_RANK_EVERY');
  assert.equal(settings.get('memory.budgetMiB')?.variable, 'ACCRETE_MEMORY_BUDGET_MIB');
  assert.equal(settings.get('limits.ratingsPerBatch')?.variable, 'ACCRETE_LIMITS_RATINGS_PER_BATCH');
});

test('text takes the type of its setting', () => {
  const env = { ACCRETE_REFLECTION: 'false', ACCRETE_RATING_MIN: '-.5', ACCRETE_EVALUATION_WINDOW: '1e3' };
  const { config } = load({ env });
  assert.deepEqual([config.reflection, config.rating.min, config.evaluation.window], [false, -0.5, 1000]);
});

test('an empty variable counts as not set', () => {
  assert.equal(load({ env: { ACCRETE_DATA: '' } }).sources.get('data'), 'default');
});

test('variables of other programs, of clients, of tests and of service links are left alone', () => {
  const env = {
    HOME: 'anything',
    ACCRETE_ADDRESS: '127.0.0.1:50051',
    ACCRETE_SHARED_DATA: '/data',
    ACCRETE_SERVICE_HOST: '10.0.0.1',
    ACCRETE_SERVICE_PORT: '50051',
    ACCRETE_SERVICE_PORT_GRPC: '50051',
    ACCRETE_PORT: 'tcp://10.0.0.1:50051',
    ACCRETE_PORT_50051_TCP: 'tcp://10.0.0.1:50051',
    ACCRETE_PORT_50051_TCP_ADDR: '10.0.0.1',
    ACCRETE_METRICS_PORT: 'tcp://10.0.0.2:9464',
  };
  assert.deepEqual(load({ env }), load({}));
  assert.throws(() => load({ env: { ACCRETE_PORT: '50052' } }), AccreteError);
});

test('flags take their value after = or as the next argument; the last of several wins', () => {
  const { config } = load({ flags: ['--rating.min', '-5', '--listen=[::1]:0', '--rating.min=-4', '--data', 'a=b'] });
  assert.deepEqual([config.rating.min, config.listen, config.data], [-4, '[::1]:0', 'a=b']);
});

test('a switch needs no value', () => {
  const env = { ACCRETE_REFLECTION: 'false' };
  assert.equal(load({ env, flags: ['--reflection'] }).config.reflection, true);
  assert.equal(load({ env, flags: ['--reflection', '--data', 'x'] }).config.reflection, true);
  assert.equal(load({ env, flags: ['--reflection', 'true'] }).config.reflection, true);
  assert.equal(load({ flags: ['--reflection', 'false'] }).config.reflection, false);
  assert.equal(load({ flags: ['--reflection=false'] }).config.reflection, false);
});

test('models are names, paths or packages of plugins with commas, or JSON, and replace the list as a whole', () => {
  const file = write('models: [{ name: a, plugin: x, config: { k: 8 } }]');
  assert.deepEqual(load({ file }).config.models, [{ name: 'a', plugin: 'x', config: { k: 8 } }]);
  assert.deepEqual(load({ file, env: { ACCRETE_MODELS: 'mf, ease' } }).config.models, [
    { name: 'mf', plugin: 'mf', config: {} },
    { name: 'ease', plugin: 'ease', config: {} },
  ]);
  const named = load({ env: { ACCRETE_MODELS: './own/item-mean/plugin.ts,../slope.js,@own/knn,plugin.ts' } }).config
    .models;
  assert.deepEqual(
    named.map(({ name, plugin }) => [name, plugin]),
    [
      ['item-mean', './own/item-mean/plugin.ts'],
      ['slope', '../slope.js'],
      ['knn', '@own/knn'],
      ['plugin.ts', 'plugin.ts'],
    ],
  );
  const flags = ['--models=[{"name":"b","plugin":"./y"}]'];
  assert.deepEqual(load({ file, flags }).config.models, [{ name: 'b', plugin: './y', config: {} }]);
});

test('kinds are names with commas, JSON, or a mapping, and replace the mapping as a whole', () => {
  const file = write('kinds: { buy: { weight: 3, hides: true }, view: {} }');
  const usual = { weight: 1, hides: false, exposure: false };
  assert.deepEqual(load({}).config.kinds, {});
  assert.deepEqual(load({ file }).config.kinds, { buy: { ...usual, weight: 3, hides: true }, view: usual });
  assert.deepEqual(load({ file, env: { ACCRETE_KINDS: 'click, view' } }).config.kinds, { click: usual, view: usual });
  const flags = ['--kinds={"click":{"weight":0.2}}'];
  assert.deepEqual(load({ file, flags }).config.kinds, { click: { ...usual, weight: 0.2 } });
  const many = Array.from({ length: 64 }, (_, n) => `kind-${n}`);
  assert.equal(Object.keys(load({ flags: ['--kinds', many.join()] }).config.kinds).length, 64);
});

test('the default model is the first one unless it is named', () => {
  const env = { ACCRETE_MODELS: 'ease,mf' };
  assert.equal(load({ env }).config.defaultModel, 'ease');
  assert.equal(load({ env, flags: ['--defaultModel=mf'] }).config.defaultModel, 'mf');
});

test('a program gives a part of the configuration and gets all of it', () => {
  const { config } = parseConfig({ listen: '127.0.0.1:0', rating: { max: 10 }, data: undefined });
  assert.deepEqual(config.rating, { min: 1, max: 10 });
  assert.equal(config.data, './data');
  assert.deepEqual(parseConfig({}), load({}));
});
