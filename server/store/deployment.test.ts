import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FusionPeriod } from '../config/fusion-period.ts';
import {
  begunOf,
  type Control,
  encodeControl,
  type LoadedModel,
  nextVersion,
  pluginOf,
  type Scenario,
  versionOf,
  versionsOf,
} from './control.ts';
import { type Decided, decide, promote, readDecided, requireUnused, withoutVersion } from './deployment.ts';
import type { Experiment } from './experiment.ts';
import { makeFolder, openIn } from './journal-fixture.ts';
import { encodeRecord } from './record.ts';

const model = (name: string) => ({ name, plugin: 'mf', config: {}, loadedMs: 1 });
/** But for the version. */
const promotion = {
  type: 'promoted',
  model: 'mf',
  loadedMs: 1,
  createdMs: 2,
  origin: 'x',
  from: 1,
  spent: 0,
} as const;
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

/** Promotions of `mf`, one a record from 10 on. */
function promoteAll(...promotions: readonly (readonly [version: string, spent: number])[]): LoadedModel {
  const decided = promotions.reduce<Decided>(
    (before, [version, spent], n) =>
      decide(
        before,
        { type: 'promoted', model: 'mf', loadedMs: 1, version, origin: 'x', createdMs: n, from: 9 + n, spent },
        10 + n,
      ),
    { models: [model('mf'), model('two')], scenarios: new Map() },
  );
  assert.deepEqual(decided.models?.[1], model('two'));
  return decided.models?.[0] as LoadedModel;
}
const namesOf = (one: LoadedModel) => versionsOf(one).map(({ version }) => version);

test('the version that was promoted last serves; four are kept, and each knows what of the margin was used up', () => {
  assert.deepEqual(versionOf(model('mf')), {
    ...{ version: '1', origin: 'load', createdMs: 1, revision: 0, from: 0, spent: 0 },
  });
  const two = promoteAll(['2', 0.1], ['3', 0.2], ['2', 0.1]);
  assert.deepEqual(namesOf(two), ['1', '3', '2']);
  assert.deepEqual(versionOf(two), { version: '2', origin: 'x', createdMs: 2, revision: 12, from: 11, spent: 0.1 });
  assert.deepEqual(namesOf(promoteAll(['2', 0], ['3', 0], ['4', 0], ['5', 0])), ['2', '3', '4', '5']);
  const other = promoteAll();
  assert.deepEqual(
    decide(
      { models: [other], scenarios: new Map() },
      {
        ...{ type: 'promoted', model: 'mf', loadedMs: 2, version: '2', origin: 'x', createdMs: 0, from: 1, spent: 0 },
      },
    ),
    { models: [other], scenarios: new Map() },
  );
});

test('the model of the arm that wins is the default one, and no shadow any more', () => {
  const shadow = { ...model('two'), shadow: true };
  const before: Decided = { models: [model('mf'), shadow], defaultModel: 'mf', scenarios: new Map() };
  const experiment = { name: 'first' } as Experiment;
  const kept = decide(before, { type: 'experiment', name: 'first', experiment }, 5);
  assert.deepEqual([kept.defaultModel, kept.models?.[1].shadow], ['mf', true]);
  const after = decide(before, { type: 'experiment', name: 'first', experiment, defaultModel: 'two' }, 5);
  assert.deepEqual([after.defaultModel, after.models], ['two', [model('mf'), model('two')]]);
});

test('a version of another plugin is what the model is while it serves; the others keep theirs', () => {
  const [before, own] = [model('mf'), { plugin: 'blend(mf,mf)', config: { seed: 1 } }];
  const asked = { name: 'mf', plugin: before.plugin, config: before.config };
  const blended = promote(before, { ...promotion, version: '2', ...own }, 7);
  assert.deepEqual([blended.plugin, blended.config, begunOf(blended)], [own.plugin, own.config, asked]);
  const [one, two] = versionsOf(blended);
  assert.deepEqual([pluginOf(blended, one), pluginOf(blended, two)], [before.plugin, own.plugin]);
  const again = promote(blended, { ...promotion, version: '3', plugin: 'ncf', config: {} }, 8);
  assert.deepEqual(
    versionsOf(again).map((version) => pluginOf(again, version)),
    [before.plugin, own.plugin, 'ncf'],
  );
  const { plugin, config } = before;
  const back = promote(blended, { ...promotion, version: '1', plugin, config }, 8);
  assert.deepEqual([back.plugin, back.config, begunOf(back)], [plugin, config, asked]);
  assert.deepEqual(pluginOf(back, versionsOf(back)[0]), own.plugin);
});

test('a version has the fusion period that the model had while it served', () => {
  const fuse = (everyEvents: number): FusionPeriod => ({ everyEvents, strategy: 'refit', sources: [] });
  const notes = (one: LoadedModel) => versionsOf(one).map((each) => [each.version, each.fuse]);
  const two = promote(model('mf'), { ...promotion, version: '2', fuse: fuse(5000) }, 7);
  assert.deepEqual(
    [two.fuse, notes(two)],
    [
      fuse(5000),
      [
        ['1', null],
        ['2', undefined],
      ],
    ],
  );
  // Of those that follow without another one, it is that of the model.
  const three = promote(two, { ...promotion, version: '3' }, 8);
  assert.deepEqual([three.fuse, notes(three)[1]], [fuse(5000), ['2', undefined]]);
  const again = promote({ ...three, fuse: fuse(9000) }, { ...promotion, version: '4', fuse: fuse(1000) }, 9);
  assert.deepEqual([again.fuse, notes(again)[1], notes(again)[2]], [fuse(1000), ['2', fuse(9000)], ['3', fuse(9000)]]);
  const back = promote(two, { ...promotion, version: '1', fuse: null }, 8);
  assert.equal('fuse' in back, false);
  assert.deepEqual(notes(back), [
    ['2', fuse(5000)],
    ['1', undefined],
  ]);
});

test('a version that is dropped is gone, and no other gets its name', () => {
  const two = promoteAll(['2', 0], ['3', 0], ['1', 0]);
  assert.equal(nextVersion(model('mf')), '2');
  const left = withoutVersion(two, '3');
  assert.deepEqual(namesOf(left), ['2', '1']);
  assert.equal(nextVersion(left), '4');
  assert.throws(() => withoutVersion(left, '1'), { reason: 'MODEL_IN_USE' });
  assert.throws(() => withoutVersion(left, '3'), { reason: 'VERSION_NOT_FOUND', message: /kept are 2, 1/ });
});
