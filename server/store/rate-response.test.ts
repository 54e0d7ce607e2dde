import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RateResponse, RateStreamResponse } from '../../proto/gen/accrete/v1/recommender.ts';
import { encodeRateResponse } from './rate-response.ts';

const texts = fc.string({ unit: 'grapheme', maxLength: 200 });
const answers = fc.record({
  revision: texts,
  acceptedCount: fc.oneof(fc.nat({ max: 300 }), fc.nat({ max: 2 ** 31 - 1 })),
  duplicate: fc.boolean(),
  predictions: fc.array(fc.record({ model: texts, values: fc.float64Array({ maxLength: 40 }) }), { maxLength: 4 }),
});

test('the generated code encodes the same bytes, and reads them in both messages', () => {
  fc.assert(
    fc.property(answers, (answer) => {
      const predictions = answer.predictions.map(({ model, values }) => ({ model, values: [...values] }));
      const bytes = encodeRateResponse(answer);
      assert.deepEqual(Buffer.from(bytes), Buffer.from(RateResponse.encode({ ...answer, predictions }).finish()));
      assert.deepEqual(RateResponse.decode(bytes), { ...answer, predictions });
      assert.deepEqual(RateStreamResponse.decode(bytes), { ...answer, predictions, error: undefined });
    }),
    { numRuns: 500 },
  );
});

test('values of part of an array are encoded, not those around them', () => {
  const values = new Float64Array([1, 2, 3, 4]).subarray(1, 3);
  const bytes = encodeRateResponse({
    revision: '',
    acceptedCount: 0,
    duplicate: false,
    predictions: [{ model: '', values }],
  });
  assert.deepEqual(RateResponse.decode(bytes).predictions[0].values, [2, 3]);
});
