import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { Gate, heldRating } from '../support/gate.ts';
import { rating } from '../support/ratings.ts';
import { TEST_CONFIG } from '../support/server.ts';
import { ServerProcess } from '../support/server-process.ts';
import { errorOf } from '../support/status.ts';

/** `npm start` is the server: a signal to npm drains it, and npm ends as it ends. */

const { error } = spawnSync('npm', ['--version']);
const skip = error ? `npm is not there: ${error.message}` : false;
const command = ['npm', 'start', '--'];

test('SIGTERM to npm drains the server: calls that run are finished, the exit code is 0', { skip }, async (t) => {
  const gate = new Gate(t);
  const models = [...TEST_CONFIG.models, gate.model];
  const server = await ServerProcess.start(t, { models }, { command });
  const held = server.client.rate([heldRating('ann', 'matrix')]);
  await gate.held();
  server.signal('SIGTERM');
  await sleep(200);
  server.signal('SIGTERM');
  await sleep(100);
  gate.open();
  assert.equal((await held).acceptedCount, 1);
  assert.deepEqual(await server.exited, { code: 0, signal: null });
  assert.equal((await errorOf(server.connect().recommend('ann'))).code, status.UNAVAILABLE);
});

test('a signal to the whole group, as of a terminal, drains it too', { skip }, async (t) => {
  const server = await ServerProcess.start(t, {}, { command });
  assert.equal((await server.client.rate([rating('ann', 'matrix', 4)])).acceptedCount, 1);
  server.signalGroup('SIGINT');
  assert.deepEqual(await server.exited, { code: 0, signal: null });
});

test('a mistake in the configuration ends npm with 1', { skip }, async (t) => {
  const server = ServerProcess.begin(t, {}, { command, args: ['--rating.max=0'] });
  assert.equal((await server.exited).code, 1);
  assert.match(server.stderr, /rating\.min/);
});
