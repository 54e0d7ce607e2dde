import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { ServerWritableStream } from '@grpc/grpc-js';
import {
  type EvaluateRequest,
  EvaluateResponse,
  EvaluationProtocol,
} from '../../../proto/gen/accrete/v1/evaluation.ts';
import { RecommenderServiceService } from '../../../proto/gen/accrete/v1/recommender.ts';
import { EXIT } from '../failure.ts';
import { makeFolder, run } from '../testing/accrete.ts';
import { FakeServer } from '../testing/fake-server.ts';

/** `accrete evaluate --html`, against a server that always finds the same. */

const report = {
  protocol: EvaluationProtocol.EVALUATION_PROTOCOL_HOLDOUT,
  rows: [{ model: 'mf', metric: 'rmse', value: 0.125, lower: 0.1, upper: 0.15, count: 1234n, window: 'total' }],
  series: [{ model: 'mf', metric: 'rmse', points: [{ count: 500n, value: 0.9 }] }],
};
const answers = [
  { event: { $case: 'progress' as const, value: { phase: 'train', completed: 1n, total: 2n, unit: 'records' } } },
  { event: { $case: 'report' as const, value: report } },
];

const server = new FakeServer().add(RecommenderServiceService, {
  evaluate(call: ServerWritableStream<EvaluateRequest, EvaluateResponse>) {
    for (const answer of answers) call.write(EvaluateResponse.fromPartial(answer));
    call.end();
  },
});
const address = await server.start();
const { folder, remove } = await makeFolder();
after(async () => {
  server.stop();
  await remove();
});

const path = join(folder, 'report.html');
const evaluate = (...args: string[]) => run(['evaluate', ...args], address);

test('a page in a file beside the tables, or on standard output in place of them', async () => {
  const { stdout } = await evaluate('--protocol', 'holdout', '--html', path);
  assert.match(stdout, /^model\tmetric\t/);
  const page = await readFile(path, 'utf8');
  assert.match(page, /^<!DOCTYPE html>[\s\S]*0\.1000 to 0\.1500[\s\S]*<polyline[\s\S]*<\/html>\n$/);
  assert.equal((await evaluate('--protocol', 'holdout', '--html', '-')).stdout, page);
});

test('a file that exists stays unless it is to be replaced, and nothing else is left behind', async () => {
  const before = await readFile(path, 'utf8');
  const refused = await evaluate('--html', path);
  assert.deepEqual([refused.code, refused.stdout], [EXIT.usage, '']);
  assert.match(refused.stderr, /report\.html exists: .*--force/);
  assert.equal(await readFile(path, 'utf8'), before);
  assert.equal((await evaluate('--html', path, '--force')).code, EXIT.ok);
  assert.deepEqual(await readdir(folder), ['report.html']);
});

test('programs get their lines beside a file; two things on standard output are refused', async () => {
  const { stdout } = await evaluate('--json', '--html', path, '--force');
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => Object.keys(JSON.parse(line)));
  assert.deepEqual(lines, [['progress'], ['report']]);
  assert.equal((await evaluate('--json', '--html', '-')).code, EXIT.usage);
  assert.equal((await evaluate('--watch', '--html', path)).code, EXIT.usage);
});
