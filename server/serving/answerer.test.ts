import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_ROW } from '../../plugins/contract/index.ts';
import type { Model } from '../models/model.ts';
import { type Asker, chooseAnswerer } from './answerer.ts';
import { ModelDirectory } from './model-directory.ts';

/** What a model of the tests is; `score` it always has. */
interface Traits {
  readonly similar?: boolean;
  readonly session?: boolean;
  readonly strangers?: boolean;
  readonly failed?: boolean;
  /** Items that it has learned something of. */
  readonly learned?: readonly number[];
}

const KNOWN = 3;
const user: Asker = { type: 'user', row: KNOWN };
const stranger: Asker = { type: 'user', row: NO_ROW };
const item: Asker = { type: 'item', row: 1 };
const session: Asker = { type: 'session', rows: Uint32Array.of(1, 2) };

/** A directory of models in this order; the first is the default. */
function directoryOf(models: Readonly<Record<string, Traits>>): ModelDirectory {
  const directory = new ModelDirectory();
  const nothing = () => {};
  for (const [name, { similar, session, strangers = false, failed, learned = [1] }] of Object.entries(models)) {
    const scorer = { score: nothing, ...(similar && { similar: nothing }), ...(session && { session: nothing }) };
    const model = {
      name,
      scorer,
      ranksStrangers: strangers,
      prequential: { quarantinedAt: failed ? 5 : 0 },
      knowsUser: (row: number) => row === KNOWN,
      knowsItem: (row: number) => learned.includes(row),
    };
    const choice = { name, plugin: name, config: {} };
    directory.set({ choice, state: 'AVAILABLE', reason: '', model: model as unknown as Model });
  }
  directory.defaultName = Object.keys(models)[0] ?? '';
  return directory;
}

/** Who answers, and why. */
function answererOf(models: Readonly<Record<string, Traits>>, name: string, asker: Asker): string[] {
  const { model, fallbackReason } = chooseAnswerer(directoryOf(models), name, asker);
  return [model?.name ?? 'counts', fallbackReason];
}

const personal: Traits = { similar: true, session: true };
const counts: Traits = { strangers: true };
const both = { personal, counts };

test('the model that was asked, where it can', () => {
  assert.deepEqual(answererOf(both, '', user), ['personal', '']);
  assert.deepEqual(answererOf(both, 'counts', user), ['counts', '']);
  assert.deepEqual(answererOf(both, '', item), ['personal', '']);
  assert.deepEqual(answererOf(both, '', session), ['personal', '']);
  assert.deepEqual(answererOf({ counts, personal }, '', stranger), ['counts', '']);
});

test('for a stranger one that needs to know nobody, also when one was named', () => {
  assert.deepEqual(answererOf(both, '', stranger), ['counts', 'UNKNOWN_USER']);
  assert.deepEqual(answererOf(both, 'personal', stranger), ['counts', 'UNKNOWN_USER']);
  assert.deepEqual(answererOf({ personal }, '', stranger), ['counts', 'UNKNOWN_USER']);
});

test('for items of which it learned nothing one that has, else one that needs to know nobody, and at last the counts', () => {
  const other = { ...personal, learned: [2] };
  assert.deepEqual(answererOf({ other, counts }, '', item), ['counts', 'UNKNOWN_ITEM']);
  assert.deepEqual(answererOf({ other, counts }, 'other', item), ['counts', 'UNKNOWN_ITEM']);
  assert.deepEqual(answererOf({ other }, '', item), ['counts', 'UNKNOWN_ITEM']);
  assert.deepEqual(answererOf({ other, counts, personal }, '', item), ['personal', 'UNKNOWN_ITEM']);
  assert.deepEqual(answererOf({ other }, '', session), ['other', '']);
  assert.deepEqual(answererOf({ none: { ...personal, learned: [] }, counts }, '', session), ['counts', 'UNKNOWN_ITEM']);
  assert.deepEqual(answererOf({ both: { ...personal, ...counts, learned: [] } }, '', session), ['both', '']);
  assert.deepEqual(answererOf({ both: { ...personal, ...counts, learned: [] } }, '', item), ['both', 'UNKNOWN_ITEM']);
});

test('who has nothing to go by ranks as for a stranger', () => {
  const ranksFor = (models: Readonly<Record<string, Traits>>, asker: Asker) =>
    chooseAnswerer(directoryOf(models), '', asker).ranksFor;
  for (const asker of [user, item, session]) assert.equal(ranksFor(both, asker), asker);
  const deaf = { deaf: { ...personal, learned: [] }, counts };
  for (const asker of [item, session]) assert.deepEqual(ranksFor(deaf, asker), stranger);
  assert.deepEqual(ranksFor({ counts }, session), stranger);
});

test('in place of one that failed or is not there one that needs to know nobody, and at last the counts', () => {
  const failed = { ...personal, failed: true };
  assert.deepEqual(answererOf({ failed, counts }, '', user), ['counts', 'MODEL_NOT_AVAILABLE']);
  assert.deepEqual(answererOf({ failed, counts }, 'failed', user), ['counts', 'MODEL_NOT_AVAILABLE']);
  assert.deepEqual(answererOf({ failed, other: { strangers: true, failed: true } }, '', user), [
    'counts',
    'MODEL_NOT_AVAILABLE',
  ]);
  assert.deepEqual(answererOf({}, '', user), ['counts', 'MODEL_NOT_AVAILABLE']);
  assert.deepEqual(answererOf({ failed, personal }, '', item), ['personal', 'MODEL_NOT_AVAILABLE']);
});

test('in place of the default model one that can', () => {
  const plain = {};
  assert.deepEqual(answererOf({ plain, counts, personal }, '', item), ['personal', 'CAPABILITY_MISSING']);
  assert.deepEqual(answererOf({ plain, personal, counts }, '', session), ['personal', 'CAPABILITY_MISSING']);
  assert.deepEqual(answererOf({ plain, counts }, '', session), ['counts', 'CAPABILITY_MISSING']);
  assert.deepEqual(answererOf({ plain }, '', session), ['counts', 'CAPABILITY_MISSING']);
});

test('one that was named and cannot is an error that names those that can', () => {
  const models = { plain: {}, counts, personal, failed: { ...personal, failed: true } };
  const thrown = {
    reason: 'CAPABILITY_MISSING',
    metadata: { model: 'plain', capability: 'similar' },
    message: /ask personal$/,
  };
  assert.throws(() => answererOf(models, 'plain', item), thrown);
  assert.throws(() => answererOf(models, 'counts', item), { reason: 'CAPABILITY_MISSING' });
  assert.throws(() => answererOf(models, 'plain', session), { message: /ask counts, personal$/ });
  assert.deepEqual(answererOf(models, 'counts', session), ['counts', '']);
});

test('like an item: no counts can stand in', () => {
  const thrown = { reason: 'CAPABILITY_MISSING', message: /load a model/ };
  assert.throws(() => answererOf({ counts }, '', item), thrown);
  assert.throws(() => answererOf({ failed: { ...personal, failed: true } }, '', item), thrown);
  assert.throws(() => answererOf({}, '', item), { reason: 'CAPABILITY_MISSING' });
});

test('a name that nobody has', () => {
  assert.throws(() => answererOf(both, 'nobody', user), { reason: 'MODEL_NOT_FOUND' });
});
