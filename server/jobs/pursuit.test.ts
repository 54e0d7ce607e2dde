import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../memory/arena.ts';
import { Rendezvous } from '../memory/rendezvous.ts';
import { Pursuit } from './pursuit.ts';

/** A stream that brings `perMs` records in a millisecond, and a model that learns one in `recordMs` and is `behind`. */
function race(perMs: number, recordMs: number, behind = 1000) {
  const meeting = new Rendezvous(Arena.create(16 * 2 ** 20));
  let [nowMs, reached] = [0, 0];
  const revisions = {
    get learned() {
      return behind + Math.floor(nowMs * perMs);
    },
  };
  const past = {
    get reached() {
      return reached;
    },
    follow(last: number, onRecord = () => {}) {
      for (; reached < last; reached++) {
        onRecord();
        nowMs += recordMs;
      }
    },
  };
  const pursuit = new Pursuit('mf', past, revisions, meeting, () => nowMs);
  return { pursuit, past, revisions, meeting, now: () => nowMs };
}

test('what is faster than the stream comes close to it', () => {
  const { pursuit, past, revisions } = race(0.9, 1);
  pursuit.catchUp();
  assert(revisions.learned - past.reached <= 20, `${revisions.learned - past.reached} records behind`);
});

test('what is slower gives up in the end, and says how far behind it is', () => {
  for (const perMs of [1.1, 1]) {
    const { pursuit, now } = race(perMs, 1);
    assert.throws(() => pursuit.catchUp(), {
      reason: 'MODEL_FAILED',
      message: /does not catch up with the stream: for 60 s it has come no closer, and it is \d+ records behind/,
    });
    assert(now() > 60_000 && now() < 1_000_000, `after ${now()} ms`);
  }
});

test('it gives up in the middle of a long way that becomes longer', () => {
  for (const perMs of [1.1, 1]) {
    const { pursuit, now } = race(perMs, 1, 1_000_000);
    assert.throws(() => pursuit.catchUp(), { reason: 'MODEL_FAILED', message: /come no closer/ });
    assert(now() > 60_000 && now() < 70_000, `after ${now()} ms`);
  }
  const { pursuit } = race(0.8, 1, 1_000_000);
  pursuit.catchUp();
});

test('a long way is no reason to give up', () => {
  const { pursuit, now } = race(0.005, 100);
  pursuit.catchUp();
  assert(now() > 100_000);
});

test('nobody waits for one that is given up, wherever it is', () => {
  for (const go of ['catchUp', 'waitForLeave', 'goToMeeting'] as const) {
    const { pursuit, meeting } = race(0, 1);
    meeting.giveUp();
    assert.throws(() => pursuit[go](), { reason: 'MODEL_FAILED', message: /Nobody waits/ });
  }
});
