import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createNoopMeter } from '@opentelemetry/api';
import { AccreteError } from '../errors.ts';
import { CallTelemetry } from './call-telemetry.ts';

test('a failure whose cause is said to be in the log is there, unless its call was cancelled', () => {
  const heard: AccreteError[] = [];
  const telemetry = new CallTelemetry(createNoopMeter(), (error) => heard.push(error));
  const ofDisk = new AccreteError('CHECKPOINT_FAILED', 'it was not removed; see the cause in the log', {
    cause: 'EISDIR',
  });
  telemetry.describe(ofDisk, true);
  telemetry.describe(new AccreteError('FILE_FOREIGN', 'it is no model file'), false);
  assert.deepEqual(heard, []);
  assert.equal(telemetry.describe(ofDisk, false), ofDisk);
  const wrapped = telemetry.describe(new RangeError('a bug'), false);
  assert.deepEqual(heard, [ofDisk, wrapped]);
});
