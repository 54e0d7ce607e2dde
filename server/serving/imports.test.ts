import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { makeFolder } from '../../test/support/temporary-folder.ts';
import { ImportFolder } from '../store/models/import-folder.ts';
import { Imports, type ImportsParts } from './imports.ts';

type Task = Parameters<ImportsParts['accept']>[0];

/** Imports whose files are looked at as long as the test wants. */
function begin(t: Parameters<typeof makeFolder>[0], waits = true) {
  const folder = new ImportFolder(makeFolder(t));
  const looks: (PromiseWithResolvers<void> & { task: Task })[] = [];
  const imports = new Imports({
    folder,
    config: { max: 9, totalMiB: 1, idleMs: 60_000 },
    atOnceMax: 9,
    accept: async (task) => {
      const look = { ...Promise.withResolvers<void>(), task };
      looks.push(look);
      if (waits) await look.promise;
      return [];
    },
  });
  const send = (name: string, until: Promise<unknown> = Promise.resolve()) => {
    const chunks = async function* () {
      await until;
      yield Buffer.of(1);
    };
    return imports.receive({ name, bytes: 1, sha256: '' }, chunks(), new AbortController().signal);
  };
  const isLookedAt = async (count: number) => {
    while (looks.length < count) await new Promise((resolve) => setTimeout(resolve, 1));
  };
  return { folder, imports, looks, send, isLookedAt };
}

test('who is forgotten is told to those that are looked at later, and waits for those that are looked at already', async (t) => {
  const { imports, looks, send, isLookedAt } = begin(t);
  const { promise, resolve } = Promise.withResolvers<void>();
  const [early, late] = [send('early'), send('late', promise)];
  await isLookedAt(1);
  let isExcluded = false;
  const excluding = imports.exclude(['ann']).then(() => {
    isExcluded = true;
  });
  resolve();
  await isLookedAt(2);
  assert.deepEqual([isExcluded, looks[0].task.without, looks[1].task.without], [false, [], ['ann']]);
  looks[0].resolve();
  await Promise.all([early, excluding]);
  looks[1].resolve();
  await late;
  // It began afterwards.
  const next = send('next');
  await isLookedAt(3);
  assert.deepEqual(looks[2].task.without, []);
  looks[2].resolve();
  await next;
});

test('beside whom too many are forgotten is refused', async (t) => {
  const { folder, imports, looks, send } = begin(t, false);
  const { promise, resolve } = Promise.withResolvers<void>();
  const late = send('late', promise);
  late.catch(() => {});
  while (!existsSync(folder.path) || readdirSync(folder.path).length === 0)
    await new Promise((wait) => setTimeout(wait, 1));
  await imports.exclude(Array.from({ length: 20_000 }, (_, n) => `user ${n}`));
  resolve();
  await assert.rejects(late, { reason: 'USER_FORGOTTEN' });
  assert.deepEqual([looks.length, readdirSync(folder.path)], [0, []]);
});
