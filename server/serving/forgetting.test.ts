import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Outcomes } from './erasure.ts';
import { Forgetting } from './forgetting.ts';

/** Who is forgotten with whom, and what is tried again. */

const RETRY_MS = 50;

/** An erasure that does nothing, by a script. */
class Fake {
  /** Users of each turn. */
  readonly turns: (readonly string[])[] = [];
  /** How often it was looked for what was begun. */
  looks = 0;
  /** Users of whom there is a note. */
  noted: string[] = [];
  /** Users who fail alone. */
  readonly broken = new Set<string>();
  /** Why all fail. */
  failure: Error | undefined;

  readonly examine = () => Promise.reject(new Error('nobody asks'));

  readonly finishNoted = async (): Promise<Outcomes> => {
    this.looks++;
    if (this.failure && this.noted.length > 0) throw this.failure;
    const outcomes = this.#outcomes(this.noted);
    this.noted = this.noted.filter((userId) => this.broken.has(userId));
    return outcomes;
  };

  readonly forget = async (userIds: readonly string[]): Promise<Outcomes> => {
    if (userIds.length > 0) this.turns.push(userIds);
    await sleep(5);
    if (this.failure) {
      this.noted.push(...userIds);
      throw this.failure;
    }
    this.noted.push(...userIds.filter((userId) => this.broken.has(userId)));
    return this.#outcomes(userIds);
  };

  #outcomes(userIds: readonly string[]): Outcomes {
    const good = userIds.filter((userId) => !this.broken.has(userId));
    const bad = userIds.filter((userId) => this.broken.has(userId));
    return {
      done: new Map(good.map((userId) => [userId, { removals: [{ place: 'ids', count: 1 }], revision: 7 }])),
      failures: new Map(bad.map((userId) => [userId, { reason: new Error(`not ${userId}`) }])),
    };
  }
}

function begin() {
  const erasure = new Fake();
  const failures: unknown[] = [];
  const forgetting = new Forgetting({ erasure, onFailure: (error) => failures.push(error), retryMs: RETRY_MS });
  return { erasure, failures, forgetting };
}

test('all who wait at the same time are forgotten together, each once', async () => {
  const { erasure, forgetting } = begin();
  const first = forgetting.forget('ann');
  await sleep(1);
  const others = ['bob', 'cleo', 'bob', 'ann'].map((userId) => forgetting.forget(userId));
  assert.deepEqual(await first, { removals: [{ place: 'ids', count: 1 }], revision: 7 });
  await Promise.all(others);
  assert.deepEqual(erasure.turns, [['ann'], ['bob', 'cleo', 'ann']]);
});

test('whoever asks at the very moment when the others are done does not wait for ever', async () => {
  const { erasure, forgetting } = begin();
  const asks = async (user: string) => {
    for (let n = 0; n < 4; n++) {
      await forgetting.forget(`${user}-${n}`);
      for (let tick = 0; tick < n; tick++) await Promise.resolve();
    }
  };
  const all = asks('ann').then(() => 'done');
  assert.equal(await Promise.race([all, sleep(2000, 'they wait', { ref: false })]), 'done');
  assert.equal(erasure.turns.length, 4);
});

test('so many at once, and so many wait', async () => {
  const { erasure, forgetting } = begin();
  const asked = Array.from({ length: 10_000 }, (_, n) => forgetting.forget(`user-${n}`));
  await Promise.resolve();
  await forgetting.forget('user-5000');
  const more = Array.from({ length: 10_000 }, (_, n) => forgetting.forget(`more-${n}`));
  const refused = (await Promise.allSettled(more)).filter(({ status }) => status === 'rejected');
  assert.ok(refused.length > 0);
  for (const each of refused) assert.equal((each as PromiseRejectedResult).reason.reason, 'JOBS_FULL');
  await Promise.all(asked);
  assert.ok(erasure.turns.every(({ length }) => length <= 1000));
});

test('who fails alone keeps nobody waiting, and is tried again', async () => {
  const { erasure, failures, forgetting } = begin();
  erasure.broken.add('bob');
  const outcomes = await Promise.allSettled(['ann', 'bob', 'cleo'].map((userId) => forgetting.forget(userId)));
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  await sleep(1.5 * RETRY_MS);
  assert.equal(failures.length, 1, 'nobody waits any more: it is told');
  await assert.rejects(forgetting.forget('bob'), { message: 'not bob' });
  assert.deepEqual(erasure.turns, [['ann'], ['bob', 'cleo']], 'of whom there is a note nobody writes another one');
  erasure.broken.clear();
  await sleep(1.5 * RETRY_MS);
  assert.deepEqual(erasure.noted, []);
});

test('many who fail are tried again together, once each time', async () => {
  const { erasure, failures, forgetting } = begin();
  erasure.failure = new Error('the disk is full');
  for (let n = 0; n < 5; n++) {
    await assert.rejects(forgetting.forget(`user-${n}`), { message: 'the disk is full' });
    await assert.rejects(forgetting.forget(`user-${n}`), { message: 'the disk is full' });
  }
  const before = erasure.looks;
  await sleep(4.5 * RETRY_MS);
  const looks = erasure.looks - before;
  assert.ok(looks >= 2 && looks <= 5, `${looks} looks`);
  assert.equal(failures.length, looks);
  erasure.failure = undefined;
  await sleep(1.5 * RETRY_MS);
  assert.deepEqual(erasure.noted, []);
  const after = erasure.looks;
  await sleep(2 * RETRY_MS);
  assert.equal(erasure.looks, after, 'there is nothing left to try');
});

test('whoever waits when it stops is told so', async () => {
  const { forgetting } = begin();
  const first = forgetting.forget('ann');
  const second = forgetting.forget('bob');
  forgetting.stop(new Error('it stops'));
  await Promise.allSettled([first]);
  await assert.rejects(second, { message: 'it stops' });
  await assert.rejects(forgetting.forget('cleo'), { message: 'it stops' });
});
