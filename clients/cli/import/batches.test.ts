import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RateStreamRequest } from '../../../proto/gen/accrete/v1/recommender.ts';
import { type Batch, type BatchOptions, makeBatch, makeBatches, type Rows } from './batches.ts';
import type { FileRating } from './rating-row.ts';
import type { BadRow } from './row-reader.ts';
import type { Time } from './time.ts';

const OPTIONS: BatchOptions = { size: 3, run: '', returnPredictions: [] };

type Row = FileRating | BadRow;

function ratingOf(line: number, user: string, time: Time): FileRating {
  return { line, user, item: 'i', value: 3, time, kind: '', retract: false, recommendationId: '' };
}

/** Rows of a file; a `!` is a bad one. */
function rowsOf(users: string): Row[] {
  return [...users].map((user, n) =>
    user === '!' ? { line: n + 1, problem: 'is bad' } : ratingOf(n + 1, user, { seconds: n, nanos: 0 }),
  );
}

async function batchesOf(
  rows: readonly Row[],
  pieces: number,
  options = OPTIONS,
): Promise<{ batches: Batch[]; bad: BadRow[] }> {
  async function* file(): AsyncGenerator<Rows> {
    for (let start = 0; start < rows.length; start += pieces) {
      const piece = rows.slice(start, start + pieces);
      yield { rows: piece, position: start + piece.length };
    }
  }
  const bad: BadRow[] = [];
  const batches = await Array.fromAsync(makeBatches(file(), options, (row) => void bad.push(row)));
  return { batches, bad };
}

const decode = ({ message }: Batch) => RateStreamRequest.decode(message);
const users = (batch: Batch) => batch.ratings.map(({ user }) => user).join('');

test('a file is cut at the same rows, whatever becomes of the rows before', async () => {
  const whole = await batchesOf(rowsOf('abcdefgh'), 8);
  assert.deepEqual(whole.batches.map(users), ['abc', 'def', 'gh']);
  assert.deepEqual(
    whole.batches.map(({ firstRow }) => firstRow),
    [0, 3, 6],
  );
  const holed = await batchesOf(rowsOf('!bcdefg!'), 2);
  assert.deepEqual(holed.batches.map(users), ['bc', 'def', 'g']);
  assert.deepEqual(
    holed.bad.map(({ line }) => line),
    [1, 8],
  );
  assert.equal(decode(holed.batches[1]).requestId, decode(whole.batches[1]).requestId);
  assert.notEqual(decode(holed.batches[0]).requestId, decode(whole.batches[0]).requestId);
  const empty = await batchesOf(rowsOf('!!!d'), 3);
  assert.deepEqual(empty.batches.map(users), ['d']);
});

test('batches do not depend on how the file was read', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: fc.constantFrom('a', 'b', '!'), maxLength: 40 }),
      fc.integer({ min: 1, max: 9 }),
      async (text, pieces) => {
        const messages = async (size: number) =>
          (await batchesOf(rowsOf(text), size)).batches.map(({ message }) => message);
        assert.deepEqual(await messages(pieces), await messages(1000));
      },
    ),
  );
});

test('a message holds the ratings, the request id and the models whose predictions are wanted', () => {
  const time = { seconds: 978_300_760, nanos: 250_000_001 };
  const event = { kind: 'click', retract: false, recommendationId: 'r1' };
  const rating = { line: 7, user: 'ada', item: 'tea', value: 4.5, time, weight: 2, ...event };
  const { requestId, ...rest } = decode(makeBatch(6, [rating], 0, { ...OPTIONS, returnPredictions: ['mf'] }));
  assert.match(requestId, /^[\x21-\x7e]{32}$/);
  assert.deepEqual(rest, {
    ratings: [
      {
        userId: 'ada',
        itemId: 'tea',
        value: 4.5,
        eventTime: { seconds: 978_300_760n, nanos: 250_000_001 },
        kind: 'click',
        weight: 2,
        recommendationId: 'r1',
        retract: false,
      },
    ],
    validateOnly: false,
    returnPredictions: ['mf'],
  });
});

test('a request id is that of the ratings, their place and the run, and of nothing else', () => {
  const [ada, bob] = rowsOf('ab').filter((row) => 'user' in row);
  const id = (...[firstRow, ratings, options]: [number, (typeof ada)[], Partial<BatchOptions>?]) =>
    decode(makeBatch(firstRow, ratings, 0, { ...OPTIONS, ...options })).requestId;
  const same = [
    id(0, [ada, bob]),
    id(0, [{ ...ada, line: 99 }, bob]),
    id(0, [ada, bob], { size: 2, returnPredictions: ['mf'] }),
  ];
  assert.equal(new Set(same).size, 1);
  const others = [id(1, [ada, bob]), id(0, [bob, ada]), id(0, [ada]), id(0, [ada, bob], { run: 'again' })];
  assert.equal(new Set([...same, ...others]).size, 1 + others.length);
});
