import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Trace } from '../exchange/forgetting.ts';
import { Erasure, type ErasureParts } from './erasure.ts';
import { Forgetting } from './forgetting.ts';

/** What who asked is told, by a store that says what the test wants. */

const ABSENT: Trace = { entries: 0, requests: [], forgotten: undefined, files: [], imports: [] };
const PRESENT: Trace = { ...ABSENT, entries: 3 };
/** Only what is left has to be done. */
const BEGUN: Trace = { ...ABSENT, forgotten: { revision: 7, user: 0 } };

/** From the second turn on there is a note of ann. Purging fails from the second time on. `steps`: hears of some. */
function begin(steps: string[] = []): Forgetting {
  let noted = [{ id: 'note-of-ann', userId: 'ann' }];
  let turns = 0;
  let purges = 0;
  const parts = {
    queue: {
      insist: async ({ type }: { readonly type: string }) => {
        steps.push(type);
        return { sealedTo: 9, revision: '8', forgotten: { user: 1, counts: {} } };
      },
    },
    exposuresLogged: async () => steps.push('logged'),
    retractions: { takeBackAll: async () => ({ live: 0, retractions: 0 }) },
    checkpoints: { create: async () => {} },
    trace: async ({ users }: Parameters<ErasureParts['trace']>[0]) => {
      steps.push('trace');
      return { users: users.map(({ userId, note }) => (userId === 'bob' ? PRESENT : note ? BEGUN : ABSENT)), to: 9 };
    },
    purge: async ({ users }: Parameters<ErasureParts['purge']>[0]) => {
      if (++purges > 1) throw new Error('the disk is full');
      return users.map(() => [{ place: 'journal', count: 5 }]);
    },
    exclude: async () => {},
    notes: {
      list: () => (++turns > 1 ? noted : []),
      write: async (userId: string) => ({ id: `note-of-${userId}`, userId }),
      remove: async () => {
        noted = [];
      },
    },
    known: () => ({ ids: 0, features: 0 }),
  } as unknown as ErasureParts;
  return new Forgetting({ erasure: new Erasure(parts), onFailure: () => {} });
}

test('of whom all is gone is told what was removed, whatever fails of others', async () => {
  const forgetting = begin();
  const first = forgetting.forget('dora');
  // While she is looked for these wait, and so are begun together.
  const asked = [forgetting.forget('cleo'), forgetting.forget('ann'), forgetting.forget('bob')];
  await first;
  const [cleo, ann, bob] = await Promise.allSettled(asked);
  assert.deepEqual(cleo, { status: 'fulfilled', value: { removals: [], revision: undefined } });
  const removals = [{ place: 'journal', count: 5 }];
  assert.deepEqual(ann, { status: 'fulfilled', value: { removals, revision: 7 } });
  assert.equal((bob as PromiseRejectedResult).reason.message, 'the disk is full');
});

test('what was shown is logged before anybody is looked for, and before they are forgotten', async () => {
  const steps: string[] = [];
  await begin(steps).forget('bob');
  assert.deepEqual(steps.slice(0, 4), ['logged', 'trace', 'logged', 'forget']);
});
