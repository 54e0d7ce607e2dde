import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../config/load.ts';
import type { ConfigInput } from '../config/schema.ts';
import { AccreteError } from '../errors.ts';
import type { Scenario } from '../store/control.ts';
import { type Decided, decide } from '../store/deployment.ts';
import type { Experiment } from '../store/experiment.ts';
import { reconcile } from './reconcile.ts';

const NEW: Decided = { scenarios: new Map() };
const model = (name: string, config: object = {}) => ({ name, plugin: 'popularity', config: { ...config } });

/** The patch of a start with what is set explicitly. */
function patchOf(decided: Decided, input: ConfigInput) {
  const { config, sources } = parseConfig(input);
  const explicit = new Set([...sources].filter(([, source]) => source !== 'default').map(([path]) => path));
  return reconcile(decided, config, explicit);
}

function after(decided: Decided, input: ConfigInput): Decided {
  return decide(decided, { type: 'settings', ...patchOf(decided, input) });
}

const names = ({ models = [] }: Decided) => models.map(({ name }) => name);

test('a new store takes the whole configuration, defaults too', () => {
  const decided = after(NEW, { rating: { max: 10 } });
  assert.deepEqual(decided.rating, { min: 1, max: 10 });
  assert.deepEqual(names(decided), ['stack', 'mf', 'item-cf', 'biases', 'popularity']);
  assert.equal(decided.defaultModel, 'stack');
});

test('the same start again changes nothing, and so does one that leaves settings out', () => {
  const decided = after(NEW, { models: [model('a'), model('b')], rating: { max: 10 } });
  assert.equal(patchOf(decided, { models: [model('a'), model('b')], rating: { max: 10 } }), undefined);
  assert.equal(patchOf(decided, {}), undefined);
});

test('what calls decided holds when the configuration says what it said before', () => {
  const input = { models: [model('a'), model('b')], defaultModel: 'a' };
  const begun = after(NEW, input);
  const decided = decide(begun, {
    type: 'settings',
    models: [...(begun.models ?? []).slice(1), { ...model('c'), loadedMs: 1 }],
    defaultModel: 'c',
  });
  assert.equal(patchOf(decided, input), undefined);
});

test('models that are new, changed or gone in the configuration are applied; others stay', () => {
  const begun = after(NEW, { models: [model('a'), model('b'), model('c')] });
  const called = decide(begun, { type: 'settings', models: [...(begun.models ?? []), { ...model('x'), loadedMs: 7 }] });
  const decided = after(called, { models: [model('a'), model('c', { halfLifeDays: 3 }), model('d')] });
  assert.deepEqual(names(decided), ['a', 'x', 'c', 'd']);
  assert.deepEqual(decided.models?.find(({ name }) => name === 'c')?.config, { halfLifeDays: 3 });
  assert.equal(decided.models?.find(({ name }) => name === 'x')?.loadedMs, 7);
});

test('a default model that is gone is replaced by the configured one', () => {
  const begun = after(NEW, { models: [model('a'), model('b')], defaultModel: 'b' });
  assert.equal(after(begun, { models: [model('a')] }).defaultModel, 'a');
  assert.equal(after(begun, { defaultModel: 'a', models: [model('a'), model('b')] }).defaultModel, 'a');
});

test('another scale is refused when it is set, and passed over when it is a default', () => {
  const begun = after(NEW, { rating: { min: 0, max: 10 } });
  assert.equal(patchOf(begun, {}), undefined);
  assert.throws(
    () => patchOf(begun, { rating: { max: 5 } }),
    (error) => error instanceof AccreteError && /begun with 0 and 10: leave them out/.test(error.message),
  );
});

test('kinds of events are taken when they change, and stay when they are left out', () => {
  const begun = after(NEW, { kinds: { click: { weight: 0.2 } } });
  const click = { weight: 0.2, hides: false, exposure: false };
  assert.deepEqual(begun.kinds, { click });
  assert.equal(patchOf(begun, {}), undefined);
  const view = { weight: 1, hides: true, exposure: false };
  const decided = after(begun, { kinds: { view } });
  assert.deepEqual(decided.kinds, { view });
  assert.deepEqual(after(decided, { evaluation: { window: 200 } }).kinds, { view });
  assert.deepEqual(after(decided, { kinds: {} }).kinds, {});
});

test('a store that began before there were kinds has none, and is asked once', () => {
  const begun = after(NEW, {});
  const { kinds: _, ...configured } = begun.configured ?? {};
  const { kinds: __, ...older } = begun;
  const decided = after({ ...older, configured }, {});
  assert.deepEqual(decided.kinds, {});
  assert.equal(patchOf(decided, {}), undefined);
});

test('a store of an older version takes what it does not have yet, and keeps its scale', () => {
  const decided = after({ ...NEW, rating: { min: 0, max: 1 } }, {});
  assert.deepEqual(decided.rating, { min: 0, max: 1 });
  assert.deepEqual(names(decided), ['stack', 'mf', 'item-cf', 'biases', 'popularity']);
});

test('a model that a scenario answers by is not taken out', () => {
  const begun = after(NEW, { models: [model('a'), model('b')] });
  const scenario = { name: 'home', model: 'b' } as Scenario;
  const decided = decide(begun, { type: 'scenario', name: 'home', scenario });
  assert.throws(() => patchOf(decided, { models: [model('a')] }), {
    reason: 'CONFIG_INVALID',
    message: /scenario home answers.*delete that scenario/,
  });
  assert.deepEqual(names(after(decided, { models: [model('b')] })), ['b']);
  const free = decide(decided, { type: 'scenario', name: 'home', scenario: null });
  assert.deepEqual(names(after(free, { models: [model('a')] })), ['a']);
});

test('a model by which an arm answers stays, and that of an isolated one as it is', () => {
  const begun = after(NEW, { models: [model('a'), model('b')] });
  const arm = (name: string) => ({ name, model: name, weight: 1, slices: [] });
  const running = (learningScope: 'shared' | 'isolated', more: object = {}): Decided => {
    const experiment = { name: 'trial', learningScope, arms: [arm('a'), arm('b')], ...more } as unknown as Experiment;
    return { ...begun, experiments: new Map([['trial', experiment]]) };
  };
  const gone = { models: [model('a')] };
  const changed = { models: [model('a'), model('b', { halfLifeDays: 3 })] };
  const refused = { reason: 'CONFIG_INVALID', message: /models .* b, by which an arm of experiment trial answers/ };
  assert.throws(() => patchOf(running('shared'), gone), refused);
  assert.throws(() => patchOf(running('isolated'), changed), refused);
  assert.ok(patchOf(running('shared'), changed));
  for (const asked of [gone, changed]) assert.ok(patchOf(running('isolated', { ended: {} }), asked));
});
