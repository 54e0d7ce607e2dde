import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { Output } from './output.ts';
import { createProgress, stateOf } from './progress.ts';

function capture(json: boolean) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const output = new Output(json, stdout as unknown as NodeJS.WriteStream, stderr as unknown as NodeJS.WriteStream);
  return {
    progress: createProgress(output),
    written: () => ({ stdout: String(stdout.read() ?? ''), stderr: String(stderr.read() ?? '') }),
  };
}

const state = (seconds: number, total: number | undefined = 8000) => ({
  unit: 'ratings',
  done: 1000 * seconds,
  position: 100 * seconds,
  total,
  seconds,
});

test('without a terminal a line is written every five seconds, with the time left', () => {
  const { progress, written } = capture(false);
  for (const seconds of [1, 4.9, 5, 9.9, 10]) progress.update(state(seconds));
  progress.stop();
  assert.deepEqual(written(), {
    stdout: '',
    stderr: '6% | 5,000 ratings | 1,000/s | 1 min left\n13% | 10,000 ratings | 1,000/s | 1 min left\n',
  });
});

test('of a stream whose end is not known no time left is told', () => {
  const { progress, written } = capture(false);
  progress.update({ ...state(10), total: undefined });
  assert.equal(written().stderr, '10,000 ratings | 1,000/s\n');
});

test('programs get lines of JSON on standard output', () => {
  const { progress, written } = capture(true);
  progress.update(state(20));
  const { stdout, stderr } = written();
  const expected = {
    unit: 'ratings',
    done: 20_000,
    position: 2000,
    total: 8000,
    seconds: 20,
    perSecond: 1000,
    percent: 25,
    secondsLeft: 60,
  };
  assert.deepEqual(JSON.parse(stdout), { progress: expected });
  assert.equal(stderr, '');
});

test('what a server tells of its work is shown with its phase and its own time left', () => {
  const { progress, written } = capture(false);
  const told = { phase: 'replay', completed: 50n, total: 200n, unit: 'records', remaining: { seconds: 90n, nanos: 0 } };
  progress.update(stateOf(told, 10));
  progress.update(stateOf({ ...told, total: 0n, remaining: undefined }, 20));
  assert.equal(written().stderr, 'replay | 25% | 50 records | 5/s | 2 min left\nreplay | 50 records | 3/s\n');
});
