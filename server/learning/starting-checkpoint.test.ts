import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AccreteError } from '../errors.ts';
import type { CheckpointFolder } from '../store/checkpoints/checkpoint-folder.ts';
import type { Manifest } from '../store/checkpoints/manifest.ts';
import type { Journal } from '../store/journal.ts';
import type { Plan } from './plan.ts';
import { chooseBase, findBase, noteBeginners } from './starting-checkpoint.ts';

const rating = { min: 1, max: 5 };
const evaluation = { rankEvery: 0, window: 100 };

interface Choice {
  readonly name: string;
  readonly k?: number;
  readonly exactFrom?: number;
}

const configOf = ({ k = 8 }: Choice) => ({ k });

/** Checkpoints by revision, each with its models. */
function folderOf(checkpoints: Record<number, readonly Choice[]>, damaged: readonly number[] = []): CheckpointFolder {
  const revisions = Object.keys(checkpoints)
    .map(Number)
    .sort((a, b) => b - a);
  const manifest = (revision: number) => ({
    revision,
    decided: { rating, evaluation },
    models: checkpoints[revision].map((choice) => {
      const { name, exactFrom } = choice;
      return {
        name,
        version: '1',
        plugin: 'p',
        stateVersion: 1,
        config: configOf(choice),
        ...(exactFrom && { exactFrom }),
      };
    }),
  });
  const verify = ({ revision }: Manifest) => {
    if (damaged.includes(revision)) throw new AccreteError('STORE_DAMAGED', `checkpoint ${revision}`);
  };
  return { path: 'state', revisions, manifest, verify, pathOf: String } as unknown as CheckpointFolder;
}

function planOf(choices: readonly Choice[], measured = evaluation): Plan {
  const models = choices.map((choice) => ({
    plugin: { stateVersion: 1, tables: () => ({}) },
    spec: { namespace: '', name: choice.name, plugin: 'p', config: configOf(choice) },
  }));
  const deployment = { rating, evaluation: measured, models: choices.map((choice) => ({ ...choice, loadedMs: 0 })) };
  return { models, deployment, changes: undefined, failed: [], known: new Set() } as unknown as Plan;
}

const journalFrom = (firstRevision: number, lastRevision = 100) => ({ firstRevision, lastRevision }) as Journal;

/** Where a start goes on: the revision, and who begins there. */
function chosen(first: number, checkpoints: Record<number, readonly Choice[]>, choices: readonly Choice[]) {
  const folder = folderOf(checkpoints);
  const newest = findBase(folder, journalFrom(first), () => {}) ?? assert.fail();
  const base = chooseBase(folder, journalFrom(first), newest, planOf(choices));
  return base && [base.manifest.revision, [...base.beginners].join()];
}

const [a, b, c] = [{ name: 'a' }, { name: 'b' }, { name: 'c' }];

test('with all records, the newest serves if it has every model as it is now', () => {
  assert.deepEqual(chosen(1, { 50: [a], 90: [a, b] }, [a, b]), [90, '']);
  assert.deepEqual(chosen(1, { 90: [a, b] }, [a]), [90, '']);
  assert.equal(chosen(1, { 90: [a] }, [a, b]), undefined);
  assert.equal(chosen(1, { 90: [{ name: 'a', k: 9 }] }, [a]), undefined);
});

test('without the first records, a model that is in none begins in one', () => {
  assert.deepEqual(chosen(40, { 50: [a], 90: [a] }, [a, b]), [90, 'b']);
  // Again where it began, as far as all others can go on from there.
  assert.deepEqual(chosen(40, { 50: [a], 90: [a] }, [a, { ...b, exactFrom: 51 }]), [50, 'b']);
  assert.deepEqual(chosen(40, { 50: [a], 90: [a, c] }, [a, { ...b, exactFrom: 51 }, c]), [90, 'b']);
  const began = { ...b, exactFrom: 51 };
  assert.deepEqual(chosen(40, { 50: [a], 90: [a, began] }, [a, began]), [90, '']);
  // One of the same name and settings that began elsewhere is another.
  assert.deepEqual(chosen(40, { 50: [a], 90: [a, b] }, [a, began]), [50, 'b']);
  // What the journal does not continue is no base.
  assert.deepEqual(chosen(60, { 50: [a], 90: [a] }, [a, began]), [90, 'b']);
});

test('a damaged one is passed over; without any that covers what is gone there is no start', () => {
  const told: string[] = [];
  const folder = folderOf({ 50: [a], 90: [a] }, [90]);
  assert.equal(findBase(folder, journalFrom(40), ({ message }) => told.push(message))?.revision, 50);
  assert.deepEqual(told, ['checkpoint 90']);
  assert.equal(
    findBase(folderOf({}), journalFrom(1), () => {}),
    undefined,
  );
  for (const bad of [folderOf({}), folderOf({ 30: [a] }), folderOf({ 90: [a] }, [90])])
    assert.throws(() => findBase(bad, journalFrom(40), () => {}), {
      reason: 'STORE_DAMAGED',
      message: /begins at revision 40/,
    });
  assert.throws(() => findBase(folder, journalFrom(1, 80), () => {}), { message: /newest files are gone/ });
});

test('live figures are measured as before, or all is learned again', () => {
  const folder = folderOf({ 90: [a] });
  const plan = planOf([a], { rankEvery: 7, window: 100 });
  const newest = folder.manifest(90);
  assert.equal(chooseBase(folder, journalFrom(1), newest, plan), undefined);
  assert.throws(() => chooseBase(folder, journalFrom(40), newest, plan), { reason: 'CONFIG_INVALID' });
});

test('where a model begins is written down, once', () => {
  const base = { manifest: folderOf({ 90: [a] }).manifest(90), beginners: new Set(['b']) };
  const { deployment, changes } = noteBeginners(planOf([a, b]), base);
  assert.deepEqual(
    deployment.models.map(({ exactFrom }) => exactFrom),
    [undefined, 91],
  );
  assert.deepEqual(changes, { models: deployment.models });
  const again = planOf([a, { ...b, exactFrom: 91 }]);
  assert.equal(noteBeginners(again, base), again);
});
