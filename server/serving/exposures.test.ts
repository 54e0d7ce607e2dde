import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AccreteError } from '../errors.ts';
import { makeExperiment } from '../experiments/making.ts';
import { WANTED } from '../experiments/testing/wanted.ts';
import { decodeExposures, type Exposures as Logged } from '../store/exposure-codec.ts';
import type { Assignment } from './experiments.ts';
import { Exposures } from './exposures.ts';
import type { LearnerAnswer } from './learner-queue.ts';

/** What is collected and sent, with a learner that is told what to answer. */

const experiment = makeExperiment(WANTED, new Map(), 0);
const assignment: Assignment = { experiment, index: 1, arm: experiment.arms[1], unit: 'ann' };
const SHOWN = { userId: 'ann', userRow: 3, rows: [1, 2] };
const accepted: LearnerAnswer = { type: 'accepted', response: Buffer.from('{}'), timings: undefined };
const refused: LearnerAnswer = { type: 'refused', refusal: new AccreteError('DISK_FULL', ''), timings: undefined };

function collector(answers: (LearnerAnswer | 'full')[]) {
  let asked = 0;
  const logged: Logged[] = [];
  const issued: number[] = [];
  const told: number[] = [];
  const exposures = new Exposures({
    queue: {
      offer: (_kind, payload, onAnswer) => {
        asked++;
        const answer = answers.shift() ?? accepted;
        if (answer === 'full') return false;
        if (answer.type === 'accepted') logged.push(decodeExposures(Buffer.from(payload)));
        queueMicrotask(() => onAnswer(answer));
        return true;
      },
    },
    mark: { issue: (_run: number, sequence: number) => issued.push(sequence) } as never,
    store: 7,
    onLost: (count) => told.push(count),
  });
  return { exposures, logged, issued, told, asked: () => asked };
}

test('answers are logged soon, in their order, and no other; a full queue delays them', async () => {
  const { exposures, logged, issued } = collector(['full', accepted]);
  const ids = [assignment, undefined, assignment].map((each) => exposures.name(each, SHOWN));
  assert.equal(new Set(ids).size, 3);
  assert.equal(logged.length, 0);
  assert.equal(await exposures.close(), true);
  assert.deepEqual(
    logged.map(({ run, exposures: all }) => [run, all.map(({ sequence, arm, row }) => [sequence, arm, row])]),
    [
      [
        exposures.run,
        [
          [1, 1, 3],
          [2, 1, 3],
        ],
      ],
    ],
  );
  assert.deepEqual(issued, [1, 2]);
});

test('a rating that may name one of them does not overtake it', () => {
  const { exposures, logged } = collector([]);
  const id = exposures.name(assignment, SHOWN);
  exposures.precede(Buffer.from('a request without a name'));
  assert.equal(logged.length, 0);
  exposures.precede(Buffer.from(`a request that names ${id}`));
  assert.equal(logged.length, 1);
});

test('what the learner refuses is lost: told, and counted in the next record', async () => {
  const { exposures, logged, told } = collector([refused]);
  exposures.name(assignment, SHOWN);
  assert.equal(await exposures.close(), false);
  assert.deepEqual(told, [1]);
  exposures.name(assignment, SHOWN);
  assert.equal(await exposures.close(), true);
  assert.deepEqual(
    logged.map(({ lost, exposures: all }) => [[...lost], all.length]),
    [[[[experiment.number, 1]], 1]],
  );
});

test('while the learner takes none, answers do not ask it again; then long lists go in parts that fit', async () => {
  const answers: (LearnerAnswer | 'full')[] = ['full'];
  const { exposures, logged, asked } = collector(answers);
  const rows = Array.from({ length: 10_000 }, (_, n) => n);
  for (let n = 0; n < 40; n++) exposures.name(assignment, { ...SHOWN, rows });
  assert.equal(asked(), 1);
  assert.equal(await exposures.close(), true);
  const sizes = logged.map(({ exposures: all }) => all.length);
  assert.deepEqual(sizes, [6, 6, 6, 6, 6, 6, 4]);
});

test('who waits for what was shown until now waits until it is logged, or is known to be lost', async () => {
  const { exposures, logged } = collector(['full', accepted, refused]);
  await exposures.logged();
  assert.equal(logged.length, 0);
  exposures.name(assignment, SHOWN);
  await exposures.logged();
  assert.deepEqual(
    logged.map(({ exposures: all }) => all.length),
    [1],
  );
  exposures.name(assignment, SHOWN);
  await exposures.logged();
  await exposures.close();
});
