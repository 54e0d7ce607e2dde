import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AccreteError, ERROR_REASONS, type PlainError } from './errors.ts';

const acrossThreads = (error: AccreteError): AccreteError => AccreteError.from(JSON.parse(JSON.stringify(error)));

test('an error crosses threads as JSON with everything but its cause', () => {
  const error = new AccreteError('QUEUE_FULL', 'the queue is full; wait and send it again', {
    violations: [{ field: 'ratings[17].value', description: 'is not on the scale' }],
    violationCount: 12,
    metadata: { queue: 'ratings' },
    retryAfterMs: 50,
    cause: new Error('secret'),
  });
  const copy = acrossThreads(error);
  assert(copy instanceof AccreteError);
  assert.deepEqual(copy.toJSON(), error.toJSON());
  assert.equal(copy.message, 'the queue is full; wait and send it again');
  assert.deepEqual(copy.violations, [{ field: 'ratings[17].value', description: 'is not on the scale' }]);
  assert.equal(copy.violationCount, 12);
  assert.deepEqual(copy.metadata, { queue: 'ratings' });
  assert.equal(copy.retryAfterMs, 50);
  assert.equal(copy.cause, undefined);
  assert(!JSON.stringify(error).includes('secret'));
  assert.equal((error.cause as Error).message, 'secret');
});

test('an error without details crosses threads too', () => {
  const copy = acrossThreads(new AccreteError('DRAINING', 'the server is stopping; use another'));
  assert.deepEqual([copy.violations, copy.metadata, copy.retryAfterMs], [[], {}, undefined]);
  assert(!('cause' in copy));
});

test('every reason keeps its kind across threads', () => {
  const kinds = ERROR_REASONS.map((reason) => acrossThreads(new AccreteError(reason, reason)).kind);
  const kindOf = Object.fromEntries(ERROR_REASONS.map((reason, index) => [reason, kinds[index]]));
  assert(kinds.every((kind) => typeof kind === 'string'));
  assert.equal(kindOf.INVALID_FIELD, 'invalid');
  assert.equal(kindOf.MODEL_NOT_FOUND, 'notFound');
  assert.equal(kindOf.APPEND_FAILED, 'unavailable');
  assert.equal(kindOf.INTERNAL, 'internal');
});

test('a reason that is not known becomes INTERNAL and keeps its name', () => {
  for (const reason of ['FROM_TOMORROW', 'toString']) {
    const error = AccreteError.from({ reason, message: 'm', metadata: { a: 'b' } } as unknown as PlainError);
    assert.equal(error.reason, 'INTERNAL');
    assert.deepEqual(error.metadata, { a: 'b', reason });
  }
});

test('wrap keeps an AccreteError and hides anything else as the cause of INTERNAL', () => {
  const known = new AccreteError('DISK_FULL', 'm');
  assert.equal(AccreteError.wrap(known), known);
  const wrapped = AccreteError.wrap(new Error('secret'));
  assert.equal(wrapped.reason, 'INTERNAL');
  assert(!JSON.stringify(wrapped).includes('secret'));
  assert.equal((wrapped.cause as Error).message, 'secret');
});
