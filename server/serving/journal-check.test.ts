import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { AccreteError } from '../errors.ts';
import { JournalCheck, type JournalCheckParts } from './journal-check.ts';

/** When the journal is looked at, how fast, and what is heard of it. */

interface Heard {
  readonly check: JournalCheck;
  readonly news: string[];
}

function begin(t: TestContext, unread: number, parts: Partial<JournalCheckParts>): Heard {
  const news: string[] = [];
  const check = new JournalCheck({
    bytesPerSecond: 1000,
    learned: () => 7,
    read: () => bytesOf(),
    onComplete: (bytes) => news.push(`complete ${bytes}`),
    onDamage: async ({ message }) => void news.push(`damage ${message}`),
    onFailure: ({ message }) => news.push(`failure ${message}`),
    ...parts,
  });
  t.after(() => check.stop());
  check.begin(unread);
  return { check, news };
}

async function* bytesOf(...parts: (number | AccreteError)[]): AsyncGenerator<number> {
  for (const part of parts) {
    if (part instanceof AccreteError) throw part;
    yield part;
  }
}

test('it reads no faster than it may', async (t) => {
  const asked: number[] = [];
  const read = (to: number) => {
    asked.push(to);
    return bytesOf(50, 50, 50, 50);
  };
  const startMs = performance.now();
  const { check, news } = begin(t, 5, { read });
  while (news.length === 0) await sleep(1);
  assert(performance.now() - startMs >= 199);
  assert.deepEqual([news, asked, check.checked.bytes], [['complete 200'], [5], 200]);
});

test('where the start has read all, it waits for its next time; at no pace it never looks', async (t) => {
  const none = begin(t, 0, { read: () => assert.fail('nothing is to be read') });
  const never = begin(t, 5, { bytesPerSecond: 0, read: () => assert.fail('nobody is to look') });
  await sleep(5);
  assert(none.check.checked.completeMs !== undefined);
  assert.deepEqual([none.news, never.news, never.check.checked.completeMs], [[], [], undefined]);
});

test('damage is told once; other failures are none', async (t) => {
  const damage = new AccreteError('STORE_DAMAGED', 'record 3');
  const { check, news } = begin(t, 5, { read: () => bytesOf(1, damage) });
  const failed = begin(t, 5, { read: () => bytesOf(1, new AccreteError('INTERNAL', 'no thread')) });
  while (!check.checked.damage || failed.news.length === 0) await sleep(1);
  assert.deepEqual([news, check.checked.damage, check.checked.completeMs], [['damage record 3'], damage, undefined]);
  assert.deepEqual([failed.news, failed.check.checked.damage], [['failure no thread'], undefined]);
});

test('it can be stopped amid its wait, and says nothing then', async (t) => {
  const { check, news } = begin(t, 5, { read: () => bytesOf(1_000_000, 1) });
  while (check.checked.bytes === 0) await sleep(1);
  check.stop();
  await sleep(5);
  assert.deepEqual([news, check.checked.bytes], [[], 1_000_000]);
});
