import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { type ClientDuplexStream, Metadata, status } from '@grpc/grpc-js';
import { RateStreamResponse } from '../../../proto/gen/accrete/v1/recommender.ts';
import { Failure } from '../failure.ts';
import { RatingStream, type RatingStreamOptions, type Sendable } from './rating-stream.ts';

/** One stream as the client sees it; the test is the server. */
class FakeCall extends EventEmitter {
  readonly written: string[] = [];
  ended = false;

  write(message: Buffer): void {
    this.written.push(message.toString());
  }

  end(): void {
    this.ended = true;
  }

  cancel(): void {
    this.close(status.CANCELLED);
  }

  answer(revision: string): void {
    this.emit('data', RateStreamResponse.fromPartial({ revision }));
  }

  close(code: status): void {
    this.emit('status', { code, details: '', metadata: new Metadata() });
  }
}

interface Text extends Sendable {
  readonly text: string;
}

function textOf(text: string): Text {
  return { text, message: Buffer.from(text) };
}

function setUp(options: Partial<RatingStreamOptions<Text>> = {}) {
  const calls: FakeCall[] = [];
  const answered: string[] = [];
  const stream = new RatingStream<Text>({
    open: () => {
      const call = new FakeCall();
      calls.push(call);
      return call as unknown as ClientDuplexStream<Buffer, RateStreamResponse>;
    },
    onAnswer: ({ text }, { revision }) => {
      answered.push(`${text}=${revision}`);
      return undefined;
    },
    explain: ({ code }) => new Failure(status[code], 'explained'),
    timeoutMs: 60_000,
    ...options,
  });
  return { stream, calls, answered };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

test('requests are answered in order, and the stream is closed at the end', async () => {
  const { stream, calls, answered } = setUp();
  await stream.send(textOf('a'));
  await stream.send(textOf('b'));
  const finished = stream.finish();
  calls[0].answer('1');
  await settle();
  assert.equal(calls[0].ended, false);
  calls[0].answer('2');
  await settle();
  assert.equal(calls[0].ended, true);
  calls[0].close(status.OK);
  await finished;
  assert.deepEqual(answered, ['a=1', 'b=2']);
});

test('no more requests are on their way than the limit', async () => {
  const { stream, calls } = setUp();
  let sent = 0;
  const sending = (async () => {
    for (; sent < 40; sent++) await stream.send(textOf(String(sent)));
  })();
  await settle();
  assert.equal(sent, 16);
  calls[0].answer('1');
  await settle();
  assert.equal(sent, 17);
  for (let n = 1; n < 40; n++) {
    calls[0].answer('1');
    await settle();
  }
  await sending;
  assert.equal(calls[0].written.length, 40);
});

test('when the stream breaks, what has no answer is sent again in order', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { stream, calls, answered } = setUp();
  for (const text of ['a', 'b', 'c']) await stream.send(textOf(text));
  calls[0].answer('1');
  calls[0].close(status.UNAVAILABLE);
  await stream.send(textOf('d'));
  assert.equal(calls.length, 1, 'not at once');
  t.mock.timers.tick(100);
  assert.deepEqual(calls[1].written, ['b', 'c', 'd']);
  const finished = stream.finish();
  for (const revision of ['2', '3', '4']) calls[1].answer(revision);
  await settle();
  calls[1].close(status.OK);
  await finished;
  assert.deepEqual(answered, ['a=1', 'b=2', 'c=3', 'd=4']);
});

test('a stream that no longer answers is opened again', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { stream, calls } = setUp({ timeoutMs: 1000 });
  await stream.send(textOf('a'));
  t.mock.timers.tick(999);
  assert.equal(calls.length, 1);
  t.mock.timers.tick(1);
  t.mock.timers.tick(100);
  assert.deepEqual(calls[1].written, ['a']);
});

test('the time without requests is not counted', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { calls } = setUp({ timeoutMs: 1000 });
  t.mock.timers.tick(10_000);
  assert.equal(calls.length, 1);
});

test('tries without an answer are limited, and an answer makes them count anew', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { stream, calls } = setUp();
  await stream.send(textOf('a'));
  await stream.send(textOf('b'));
  const breakUntilNoMore = () => {
    for (let before = 0; before < calls.length; ) {
      before = calls.length;
      calls[before - 1].close(status.UNAVAILABLE);
      t.mock.timers.tick(5000);
    }
    return calls.length;
  };
  calls[0].close(status.UNAVAILABLE);
  t.mock.timers.tick(100);
  calls[1].answer('1');
  assert.equal(breakUntilNoMore() - 2, 7);
  await assert.rejects(stream.send(textOf('c')), { reason: 'UNAVAILABLE' });

  const first = setUp();
  calls.splice(0, calls.length);
  calls.push(...first.calls);
  await first.stream.send(textOf('a'));
  const failed = assert.rejects(first.stream.finish(), { reason: 'UNAVAILABLE' });
  for (let n = 0; n < 4; n++) {
    first.calls[n].close(status.UNAVAILABLE);
    t.mock.timers.tick(5000);
  }
  assert.equal(first.calls.length, 4, 'a server that never answered is given up sooner');
  await failed;
});

test('a failure that will not pass ends it, for those who wait too', async () => {
  const { stream, calls } = setUp();
  for (let n = 0; n < 16; n++) await stream.send(textOf(String(n)));
  const waiting = assert.rejects(stream.send(textOf('more')), { reason: 'INVALID_ARGUMENT' });
  calls[0].close(status.INVALID_ARGUMENT);
  await waiting;
  await assert.rejects(stream.finish(), { reason: 'INVALID_ARGUMENT' });
  assert.equal(calls.length, 1);
});

test('a request may be replaced by another one when it is answered', async () => {
  const { stream, calls } = setUp({ onAnswer: ({ text }) => (text === 'bad' ? textOf('better') : undefined) });
  await stream.send(textOf('bad'));
  const finished = stream.finish();
  calls[0].answer('');
  await settle();
  assert.deepEqual(calls[0].written, ['bad', 'better']);
  assert.equal(calls[0].ended, false);
  calls[0].answer('1');
  await settle();
  calls[0].close(status.OK);
  await finished;
});

test('an answer to nothing ends it', async () => {
  const { stream, calls } = setUp();
  calls[0].answer('1');
  await assert.rejects(stream.send(textOf('a')), { reason: 'INTERNAL' });
});
