import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Arena } from './arena.ts';
import { findRevision, NO_REVISION, Revisions, revisionText } from './revisions.ts';
import { startThread } from './testing/threads.ts';

const never = new AbortController().signal;
const make = () => {
  const arena = Arena.create(2 ** 20);
  return { arena, revisions: new Revisions(arena) };
};

/** Follows promises: which have been kept, which broken. */
function watch(promises: Promise<void>[]): { kept: number[]; broken: number[] } {
  const seen = { kept: [] as number[], broken: [] as number[] };
  for (const [n, promise] of promises.entries()) {
    promise.then(
      () => seen.kept.push(n),
      () => seen.broken.push(n),
    );
  }
  return seen;
}

/** Long enough for all that was woken to run. */
async function settle(): Promise<void> {
  for (let n = 0; n < 20; n++) await turn();
}

test('both start at none, and every thread sees both', () => {
  const { arena, revisions } = make();
  const reader = new Revisions(new Arena(arena.memory));
  assert.deepEqual([reader.issued, reader.learned], [NO_REVISION, NO_REVISION]);
  revisions.issued = 2 ** 40 + 1;
  revisions.learned = 2 ** 40;
  assert.deepEqual([reader.issued, reader.learned], [2 ** 40 + 1, 2 ** 40]);
});

test('what was learned is never unlearned', () => {
  const { revisions } = make();
  revisions.learned = 5;
  revisions.learned = 5;
  assert.throws(() => {
    revisions.learned = 4;
  }, /revision 4 cannot follow 5/);
  assert.equal(revisions.learned, 5);
});

test('exactly those whose revision is reached are woken', async () => {
  const { arena, revisions } = make();
  revisions.learned = 2;
  const reader = new Revisions(new Arena(arena.memory));
  const wanted = [5, 1, 3, 4, 3, 2, 9];
  const seen = watch(wanted.map((revision) => reader.reach(revision, never)));
  for (let learned = 2; learned <= 8; learned++) {
    revisions.learned = learned;
    await settle();
    const reached = wanted.flatMap((revision, n) => (revision <= learned ? [n] : []));
    assert.deepEqual(seen.kept.toSorted(), reached);
  }
  assert.deepEqual(seen.broken, []);
});

test('who waits again after being woken is woken again', async () => {
  const { revisions } = make();
  for (let revision = 1; revision <= 50; revision++) {
    const reached = revisions.reach(revision, never);
    revisions.learned = revision;
    await reached;
  }
});

test('an abort ends a wait with its reason, and that one alone', async () => {
  const { revisions } = make();
  const controllers = [0, 1, 2].map(() => new AbortController());
  const waits = controllers.map(({ signal }) => revisions.reach(1, signal));
  const seen = watch(waits);
  controllers[1].abort(new Error('too late'));
  await assert.rejects(waits[1], /too late/);
  revisions.learned = 1;
  await settle();
  assert.deepEqual([seen.kept, seen.broken], [[0, 2], [1]]);
  for (const { signal } of controllers) assert.equal(listenersOf(signal), 0);
});

test('an aborted signal refuses at once, unless the revision is reached already', async () => {
  const { revisions } = make();
  revisions.learned = 3;
  const aborted = AbortSignal.abort(new Error('gone'));
  await revisions.reach(3, aborted);
  await assert.rejects(revisions.reach(4, aborted), /gone/);
});

test('many wait at once, many give up at once', async () => {
  const { revisions } = make();
  const count = 4000;
  const controllers = Array.from({ length: count }, () => new AbortController());
  const waits = controllers.map(({ signal }, n) => revisions.reach(1 + (n % 2), signal));
  const outcomes = Promise.allSettled(waits);
  revisions.learned = 1;
  await waits[0];
  for (let n = 0; n < count / 2; n++) controllers[n].abort();
  revisions.learned = 2;
  const kept = (await outcomes).filter(({ status }) => status === 'fulfilled').length;
  assert.equal(kept, (count * 3) / 4);
});

test('a wait that is over is forgotten, however it ended', async () => {
  const { revisions } = make();
  const listeners: (() => void)[] = [];
  let woken = 0;
  const signal = {
    aborted: false,
    addEventListener: (_type: string, listener: () => void) => listeners.push(listener),
    removeEventListener: () => woken++,
  } as unknown as AbortSignal;
  const outcomes = Promise.allSettled([revisions.reach(1, signal), revisions.reach(2, signal)]);
  listeners[1]();
  for (const learned of [1, 2]) {
    revisions.learned = learned;
    await settle();
  }
  assert.deepEqual(
    (await outcomes).map(({ status }) => status),
    ['fulfilled', 'rejected'],
  );
  assert.equal(woken, 1);
});

test('a thread that learns wakes one that waits, every time', { timeout: 30_000 }, async () => {
  const { arena, revisions } = make();
  const last = 5000;
  const thread = await startThread(arena, 'learnRevisions', { last });
  for (let revision = 1; revision <= last; revision++) {
    // The other thread learns this one from now on: before, while or after the wait begins.
    revisions.issued = revision;
    for (let spin = 0; spin < (revision * 7919) % 3000; spin++);
    await revisions.reach(revision, never);
  }
  await thread.result;
});

test('a wait keeps no process alive', () => {
  const script = `
    import { Arena } from ${JSON.stringify(new URL('./arena.ts', import.meta.url).href)};
    import { Revisions } from ${JSON.stringify(new URL('./revisions.ts', import.meta.url).href)};
    new Revisions(Arena.create(65536)).reach(1, new AbortController().signal);`;
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { timeout: 10_000 });
  assert.equal(status, 0, String(stderr));
});

test('revisions as text sort as numbers do, and are read back', () => {
  const numbers = [0, 1, 9, 10, 99, 12_345, 2 ** 32, Number.MAX_SAFE_INTEGER];
  const texts = numbers.map(revisionText);
  assert.deepEqual(texts.toSorted(), texts);
  assert.ok(texts.every((text) => /^\d{20}$/.test(text)));
  assert.deepEqual(texts.map(findRevision), numbers);
});

test('what is no revision is told from one that is too large', () => {
  for (const text of ['', ' 1', '-1', '1.0', '0x1', '1e3', 'abc', '1'.repeat(21), '１'])
    assert.equal(findRevision(text), undefined, text);
  assert.equal(findRevision('7'), 7);
  assert.equal(findRevision('9'.repeat(20)), Number.MAX_SAFE_INTEGER);
});

function listenersOf(signal: AbortSignal): number {
  return getEventListeners(signal, 'abort').length;
}
