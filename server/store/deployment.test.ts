import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Control, encodeControl, type Scenario } from './control.ts';
import { type Decided, decide, readDecided, requireUnused } from './deployment.ts';
import { makeFolder, openIn } from './journal-fixture.ts';
import { encodeRecord } from './record.ts';

const model = (name: string) => ({ name, plugin: 'mf', config: {}, loadedMs: 1 });
const scenario = (name: string, more: Partial<Scenario> = {}): Scenario => ({
  ...{ name, description: '', model: '', filter: '', diversity: 0 },
  ...{ excludeItemIds: [], includeSeen: false, pageSize: 0, ...more },
});

const begin: Control = {
  type: 'settings',
  rating: { min: 1, max: 5 },
  evaluation: { rankEvery: 7, window: 100 },
  models: [model('mf')],
  defaultModel: 'mf',
  configured: { defaultModel: 'mf' },
};
const CONTROLS: readonly Control[] = [
  begin,
  { type: 'scenario', name: 'home', scenario: scenario('home') },
  { type: 'itemsDeleted', itemIds: ['x'] },
  { type: 'scenario', name: 'mail', scenario: scenario('mail', { model: 'mf' }) },
  { type: 'settings', models: [model('mf'), model('two')] },
  { type: 'resumed' },
  { type: 'scenario', name: 'home', scenario: scenario('home', { pageSize: 3 }) },
  { type: 'settings', defaultModel: 'two' },
  { type: 'scenario', name: 'mail', scenario: null },
  { type: 'scenario', name: 'never', scenario: null },
];

test('later records replace what they name, and leave the rest', () => {
  const nothing: Decided = { scenarios: new Map() };
  const decided = CONTROLS.reduce(decide, nothing);
  const { type: _, ...settings } = begin;
  assert.deepEqual(decided, {
    ...settings,
    models: [model('mf'), model('two')],
    defaultModel: 'two',
    scenarios: new Map([['home', scenario('home', { pageSize: 3 })]]),
  });
  assert.deepEqual(nothing, { scenarios: new Map() });
});

test('a journal is read for its decisions alone', async (t) => {
  const journal = await openIn(t, makeFolder(t));
  assert.deepEqual(readDecided(journal), { scenarios: new Map() });
  const noise = (['ratings', 'items', 'users'] as const).map((type) =>
    encodeRecord({
      type,
      receivedAtMs: 1,
      namespace: '',
      payload: Buffer.from('{"type":"settings","defaultModel":"noise"}'),
    }),
  );
  for (const control of CONTROLS) await journal.append([...noise, encodeControl(control), ...noise]);
  assert.deepEqual(readDecided(journal), CONTROLS.reduce<Decided>(decide, { scenarios: new Map() }));
});

test('the default model and the model of a scenario are in use', () => {
  const scenarios = new Map([
    ['home', scenario('home')],
    ['mail', scenario('mail', { model: 'two' })],
  ]);
  const deployment = { defaultModel: 'mf', scenarios };
  requireUnused('three', deployment);
  assert.throws(() => requireUnused('mf', deployment), { reason: 'MODEL_IN_USE', message: /default/ });
  assert.throws(() => requireUnused('two', deployment), { reason: 'MODEL_IN_USE', message: /scenario mail/ });
});
