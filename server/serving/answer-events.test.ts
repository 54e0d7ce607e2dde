import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RateRequest } from '../../proto/gen/accrete/v1/recommender.ts';
import { AccreteError } from '../errors.ts';
import { AnswerEvents } from './answer-events.ts';
import type { LearnerAnswer } from './learner-queue.ts';

/** What is collected and sent, with a learner that is told what to answer. */

const accepted: LearnerAnswer = { type: 'accepted', response: Buffer.from(''), timings: undefined };
const refused: LearnerAnswer = { type: 'refused', refusal: new AccreteError('DISK_FULL', ''), timings: undefined };

function collector(
  answers: (LearnerAnswer | 'full')[] = [],
  parts: { kind?: undefined; hasRoom?: () => boolean } = {},
) {
  const sent: RateRequest[] = [];
  const lost: [events: number, reason: string | undefined][] = [];
  const events = new AnswerEvents({
    queue: {
      offer: (_kind, payload, onAnswer) => {
        const answer = answers.shift() ?? accepted;
        if (answer === 'full') return false;
        sent.push(RateRequest.decode(payload));
        queueMicrotask(() => onAnswer(answer));
        return true;
      },
    },
    kind: 'shown',
    hasRoom: () => true,
    ...parts,
    onLost: (count, why) => lost.push([count, why?.reason]),
  });
  return {
    events,
    sent,
    lost,
    list: () => sent.map(({ ratings }) => ratings.map((each) => each.userId + each.itemId)),
  };
}

const many = (count: number) => Array.from({ length: count }, (_, n) => `${n}`);

test('an event of the kind for each item, at the time of the answer', async () => {
  const { events, sent, list } = collector();
  events.show('a', ['1', '2'], 1_000_000_000_250);
  events.show('b', ['2'], 1_000_000_000_500);
  assert.deepEqual(sent, []);
  await events.close();
  assert.deepEqual(list(), [['a1', 'a2', 'b2']]);
  const [{ kind, eventTime, value, weight }] = sent.flatMap(({ ratings }) => ratings);
  assert.deepEqual([kind, value, weight], ['shown', undefined, undefined]);
  assert.deepEqual(eventTime, { seconds: 1_000_000_000n, nanos: 250_000_000 });
});

test('whole answers go together up to a maximum, and of a long one its beginning', async () => {
  const { events, sent } = collector();
  for (let n = 0; n < 11; n++) events.show(`user-${n}`, many(n === 0 ? 120 : 99), 0);
  await events.close();
  assert.deepEqual(
    sent.map(({ ratings }) => ratings.length),
    [991, 99],
  );
});

test('a full queue is tried again, and what is refused is told', async () => {
  const { events, list, lost } = collector(['full', 'full', refused, accepted]);
  events.show('a', many(600), 0);
  events.flush();
  events.show('b', ['2'], 0);
  await events.close();
  assert.equal(list().flat().at(-1), 'b2');
  events.show('c', ['1', '2', '3'], 0);
  await events.close();
  assert.deepEqual(lost, [[101, 'DISK_FULL']]);
});

test('without room nothing waits, and without a kind nothing is learned', async () => {
  const crowded = collector([], { hasRoom: () => false });
  crowded.events.show('a', ['1', '2'], 0);
  const plain = collector([], { kind: undefined });
  plain.events.show('a', ['1'], 0);
  for (const { events, sent } of [crowded, plain]) {
    await events.close();
    assert.deepEqual(sent, []);
  }
  assert.deepEqual([crowded.lost, plain.lost], [[[2, undefined]], []]);
});

test('who is to be forgotten is not named any more', async () => {
  const { events, list } = collector();
  for (const user of ['a', 'b', 'a']) events.show(user, ['1'], 0);
  events.forget(['a']);
  await events.close();
  assert.deepEqual(list(), [['b1']]);
});
