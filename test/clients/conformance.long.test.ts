import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { ExportRatingsRequest, UserServiceService } from '../../proto/gen/accrete/v1/user.ts';
import { certificatePath, SERVER_TLS } from '../support/certificates.ts';
import { ClientsFile } from '../support/clients-file.ts';
import { ROOT, ServerProcess } from '../support/server-process.ts';
import { SERVICES } from '../support/services.ts';
import type { Scope } from '../support/temporary-folder.ts';
import { FaultRelay } from './fault-relay.ts';

/** One scenario, interpreted in every language, against a real server behind a relay that fails on demand. */

interface Scenario {
  readonly groups: readonly { readonly steps: readonly unknown[] }[];
}

const FILE = join(ROOT, 'clients/conformance/scenario.json');
const VECTORS = join(ROOT, 'test/data/allocation-vectors.json');
const SCENARIO = JSON.parse(readFileSync(FILE, 'utf8')) as Scenario;
const STEPS = SCENARIO.groups.flatMap(({ steps }) => steps).length;

const METHODS = SERVICES.flatMap((service) => Object.values(service)).map(({ path }) => {
  const [, service = '', method = ''] = /^\/accrete\.v1\.(\w+)\/(\w+)$/.exec(path) ?? [];
  return { service, method };
});
const CONFIG = {
  models: [
    { name: 'popularity', plugin: 'popularity' },
    { name: 'mf', plugin: 'mf' },
  ],
  kinds: { click: { weight: 0.2 } },
};
/** Calls that clients do not repeat by themselves: done twice, they do or answer something else, or cost much. */
const ONCE = [
  'RecommenderService/RateStream',
  'RecommenderService/Fuse',
  'ModelService/UnloadModel',
  'ModelService/RollbackModel',
  'ModelService/ImportModel',
  'ModelService/TuneModel',
  'ModelService/DeleteScenario',
  'ImportService/DeleteImport',
  'ExperimentService/CreateExperiment',
  'ExperimentService/UpdateExperiment',
  'ExperimentService/PromoteArm',
];

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

test('every call is in the scenario', () => {
  const text = JSON.stringify(SCENARIO);
  const byOwnSteps = { Rate: '"do":"rate"', RateStream: '"do":"stream"' } as Readonly<Record<string, string>>;
  const missing = METHODS.filter(
    ({ service, method }) => !text.includes(byOwnSteps[method] ?? `"${service}/${method}"`),
  );
  assert.deepEqual(missing, []);
});

test('of every call it is known whether it may be repeated', () => {
  const file = readFileSync(join(ROOT, 'clients/service-config.json'), 'utf8');
  const { methodConfig } = JSON.parse(file) as { methodConfig: { name: { service: string; method: string }[] }[] };
  const repeated = methodConfig.flatMap(({ name }) => name.map(({ service, method }) => `${service}/${method}`));
  const all = METHODS.map(({ service, method }) => `accrete.v1.${service}/${method}`);
  assert.deepEqual([...repeated, ...ONCE.map((name) => `accrete.v1.${name}`)].sort(), all.sort());
});

for (const [language, command] of Object.entries(RUNNERS)) {
  test(language, async (t) => {
    const server = await ServerProcess.start(t, CONFIG);
    const relay = await FaultRelay.start(t, {
      '/restart': async () => {
        await server.kill();
        await server.start();
        relay.target = server.address;
      },
      '/secured': () => startSecured(t),
      '/learned': async ({ user }) => ({ count: await countLearned(server, String(user)) }),
    });
    relay.target = server.address;
    const env = {
      ACCRETE_ADDRESS: relay.address,
      ACCRETE_CONTROL: relay.control,
      ACCRETE_SCENARIO: FILE,
      ACCRETE_VECTORS: VECTORS,
    };
    const lines = await run(t, command, env);
    assert.deepEqual(
      lines.filter((line) => !line.startsWith('ok ')),
      [],
    );
    assert.equal(lines.length, STEPS);
  });
}

/** A server that asks who calls: by a token or a certificate, over TLS. */
async function startSecured(scope: Scope) {
  const clients = new ClientsFile(scope, [
    { name: 'reader', role: 'read', token: 'token-of-reader' },
    { name: 'shop', role: 'write', certificates: ['uri:spiffe://tests/shop'] },
  ]);
  const tls = { ...SERVER_TLS, clientCa: certificatePath('authority.crt'), clientCertificates: 'optional' } as const;
  const { address } = await ServerProcess.start(scope, { ...CONFIG, tls, auth: { clients: clients.path } });
  const [ca, certificate, key] = ['authority.crt', 'client.crt', 'client.key'].map(certificatePath);
  return { address, ca, certificate, key };
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
