import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { after, before, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import { ForgetUserRequest, ForgetUserResponse, UserServiceService } from '../../proto/gen/accrete/v1/user.ts';
import { run } from './testing/accrete.ts';
import { FakeServer } from './testing/fake-server.ts';

/** `accrete forget`, against a server that keeps what it was asked. */

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));
const { error: missing } = spawnSync('script', ['--version']);
const skip = missing ? `a terminal is made by the command script: ${missing.message}` : false;

let asked: ForgetUserRequest[] = [];
let address: string;
const server = new FakeServer().add(UserServiceService, {
  forgetUser: (
    { request }: ServerUnaryCall<ForgetUserRequest, ForgetUserResponse>,
    done: sendUnaryData<ForgetUserResponse>,
  ) => {
    asked.push(request);
    const removals =
      request.userId === 'nobody'
        ? []
        : [
            { place: 'journal', count: 1234n },
            { place: 'ids', count: 1n },
          ];
    done(
      null,
      ForgetUserResponse.fromPartial({ removals, revision: request.validateOnly ? '' : '00000000000000000007' }),
    );
  },
});

before(async () => {
  address = await server.start();
});
after(() => server.stop());
beforeEach(() => {
  asked = [];
});

test('--yes removes, and tells what was removed from where', async () => {
  const { code, stdout } = await run(['forget', 'ada', '--yes'], address);
  assert.deepEqual([code, stdout], [0, 'place\tremoved\njournal\t1,234\nids\t1\n']);
  assert.deepEqual(asked, [ForgetUserRequest.fromPartial({ userId: 'ada' })]);
  const { stdout: json } = await run(['forget', 'ada', '--yes', '--json'], address);
  assert.deepEqual(JSON.parse(json).removals[0], { place: 'journal', count: '1234' });
  assert.equal((await run(['forget', 'nobody', '--yes'], address)).stdout, 'nothing is known of nobody\n');
});

test('--validate-only removes nothing', async () => {
  const { code, stdout } = await run(['forget', 'ada', '--validate-only'], address);
  assert.deepEqual([code, stdout], [0, 'place\twould be removed\njournal\t1,234\nids\t1\n']);
  assert.deepEqual(asked, [ForgetUserRequest.fromPartial({ userId: 'ada', validateOnly: true })]);
});

test('without a terminal to ask on it calls nothing', async () => {
  const { code, stderr } = await run(['forget', 'ada'], address, 'y\n');
  assert.equal(code, 2);
  assert.match(stderr, /cannot be undone.*--yes/);
  assert.deepEqual(asked, []);
});

for (const [answer, removes] of [
  ['y', true],
  ['', false],
] as const) {
  test(`on a terminal it asks: ${answer || 'nothing is no'}`, { skip }, async () => {
    const line = `'${process.execPath}' '${MAIN}' forget ada --address ${address}`;
    const child = spawn('script', ['--quiet', '--return', '--command', line, '/dev/null']);
    child.stdin.write(`${answer}\n`);
    const output = await text(child.stdout);
    assert.match(output, /Of ada there is: journal 1,234, ids 1/);
    assert.match(output, removes ? /REMOVED/ : /nothing is removed/);
    assert.deepEqual(
      asked.map(({ validateOnly }) => validateOnly),
      removes ? [true, false] : [true],
    );
  });
}
