import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { ExportRatingsRequest, UserServiceService } from '../../proto/gen/accrete/v1/user.ts';
import { ROOT, ServerProcess } from '../support/server-process.ts';
import { FaultRelay } from './fault-relay.ts';

/** One scenario, interpreted in every language, against a real server behind a relay that fails on demand. */

interface Scenario {
  readonly groups: readonly { readonly steps: readonly unknown[] }[];
}

const FILE = join(ROOT, 'clients/conformance/scenario.json');
const SCENARIO = JSON.parse(readFileSync(FILE, 'utf8')) as Scenario;
const STEPS = SCENARIO.groups.flatMap(({ steps }) => steps).length;

/** A runner that takes longer is given up. */
const RUN_MS = 120_000;

const RUNNERS: Readonly<Record<string, readonly string[]>> = {
  node: [process.execPath, 'build/clients/tools/node/conformance.mjs'],
  go: ['build/clients/tools/go-conformance'],
  java: [
    'java',
    '-XX:TieredStopAtLevel=1',
    '-XX:+UseSerialGC',
    '-cp',
    'build/clients/java/test-classes:build/clients/java/classes:build/clients/java/dependency/*',
    'accrete.conformance.Conformance',
  ],
  python: ['build/clients/tools/python/bin/python', 'clients/python/conformance.py'],
  'python, asyncio': ['build/clients/tools/python/bin/python', 'clients/python/conformance.py', '--aio'],
};

for (const [language, command] of Object.entries(RUNNERS)) {
  test(language, async (t) => {
    const server = await ServerProcess.start(t, {
      models: [{ name: 'popularity', plugin: 'popularity' }],
      kinds: { click: { weight: 0.2 } },
    });
    const relay = await FaultRelay.start(t, {
      '/restart': async () => {
        await server.kill();
        await server.start();
        relay.target = server.address;
      },
      '/learned': async ({ user }) => ({ count: await countLearned(server, String(user)) }),
    });
    relay.target = server.address;
    const env = { ACCRETE_ADDRESS: relay.address, ACCRETE_CONTROL: relay.control, ACCRETE_SCENARIO: FILE };
    const lines = await run(t, command, env);
    assert.deepEqual(
      lines.filter((line) => !line.startsWith('ok ')),
      [],
    );
    assert.equal(lines.length, STEPS);
  });
}

/** What a runner says, line by line, and what went wrong besides. */
async function run({ signal }: TestContext, [program = '', ...args]: readonly string[], env: Record<string, string>) {
  const child = spawn(program, args, {
    cwd: ROOT,
    env: { ...process.env, ...env },
    signal: AbortSignal.any([signal, AbortSignal.timeout(RUN_MS)]),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  const ended = await once(child, 'close').catch((error) => [error]);
  if (ended[0] !== 0) lines.push(`it ended after ${lines.length} steps: ${ended}`);
  return lines;
}

/** How many ratings of users whose names begin so are in the journal. */
async function countLearned(server: ServerProcess, user: string): Promise<number> {
  const answers = await server.client.collect(UserServiceService.exportRatings, ExportRatingsRequest.fromPartial({}));
  return answers
    .flatMap(({ event }) => (event?.$case === 'batch' ? event.value.ratings : []))
    .filter(({ userId }) => userId.startsWith(user)).length;
}
