import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import packageJson from '../../package.json' with { type: 'json' };
import { ROOT } from '../support/server-process.ts';
import { makeFolder } from '../support/temporary-folder.ts';
import { getHelm, getValidate, run, type Tool } from './tools.ts';

/** Manifests, chart and compose.yaml: by the schemas of Kubernetes, by helm, and that their figures fit each other. */

const MANIFESTS = join(ROOT, 'deploy/kubernetes');
const CHART = join(ROOT, 'deploy/helm/accrete');

interface Container {
  readonly name: string;
  readonly image: string;
  readonly env?: readonly { readonly name: string; readonly value: string }[];
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly startupProbe?: { readonly exec?: { readonly command: readonly string[] } };
}

interface Manifest {
  readonly kind: string;
  readonly spec: {
    readonly replicas?: number;
    readonly template: {
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly securityContext: Readonly<Record<string, unknown>>;
        readonly containers: readonly Container[];
        readonly initContainers?: readonly Container[];
      };
    };
  };
}

const COLLECTOR = 'http://collector:4318';
const folder = makeFolder({ after });
const helm = getHelm();
const validate = getValidate();
const validateFile = (file: string) => run(validate.path, ['--strict', file], validate.env);

const documents = (text: string) => parseAllDocuments(text).map((document) => document.toJS() as Manifest | null);
const setsOf = (text: string) => documents(text).filter((document) => document?.kind === 'StatefulSet') as Manifest[];

/** What must fit: the server ends before it is killed, and nobody is root. */
function checkFigures(text: string): void {
  const [set, ...others] = setsOf(text);
  assert.deepEqual(others, []);
  const { terminationGracePeriodSeconds, securityContext, containers, initContainers = [] } = set.spec.template.spec;
  assert.equal(securityContext.runAsNonRoot, true);
  const all = [...containers, ...initContainers];
  for (const { name, securityContext } of all) {
    assert.equal(securityContext.readOnlyRootFilesystem, true, name);
    assert.equal(securityContext.allowPrivilegeEscalation, false, name);
  }
  const server = all.find(({ name }) => name === 'accrete') as Container;
  const drainMs = Number(server.env?.find(({ name }) => name === 'ACCRETE_DRAIN_TIMEOUT_MS')?.value);
  assert(drainMs > 0 && terminationGracePeriodSeconds >= drainMs / 1000 + 5, 'the grace is longer than the drain');
  assert.deepEqual(server.startupProbe?.exec?.command.slice(0, 2), ['accrete', 'health']);
  assert(server.image.endsWith(`:${packageJson.version}`), `${server.image} is of this version`);
}

for (const name of readdirSync(MANIFESTS)) {
  const file = join(MANIFESTS, name);
  test(`${name} fits the schemas of Kubernetes`, { skip: validate.skip }, () => {
    assert.match(validateFile(file), /passed for resource statefulset/);
  });
  test(`${name}: its figures fit each other`, () => checkFigures(readFileSync(file, 'utf8')));
}

test('a manifest with a mistake is found', { skip: validate.skip }, () => {
  const file = join(folder, 'mistake.yaml');
  const text = readFileSync(join(MANIFESTS, 'statefulset.yaml'), 'utf8');
  writeFileSync(file, text.replace('readinessProbe:', 'readynessProbe:'));
  assert.throws(() => validateFile(file), /readynessProbe/);
});

const render = (...args: string[]) => run(helm.path, ['template', 'films', CHART, ...args]);
const both = (...tools: Tool[]) => tools.map(({ skip }) => skip).find(Boolean) ?? false;

test('helm lints the chart', { skip: helm.skip }, () => {
  assert.match(run(helm.path, ['lint', '--strict', CHART]), /0 chart\(s\) failed/);
});

const VARIANTS: Readonly<Record<string, readonly string[]>> = {
  'as it is': [],
  'with settings': ['--set', 'config.rating.min=0.5,drain.seconds=120,persistence.storageClassName=fast'],
  'with clients': ['--set', 'auth.secret=films-auth,auth.serverName=films', '--set-json', 'networkPolicy.clients={}'],
  'with variables': ['--set', 'env[0].name=OTEL_EXPORTER_OTLP_ENDPOINT', '--set', `env[0].value=${COLLECTOR}`],
};

for (const [name, args] of Object.entries(VARIANTS)) {
  test(`the chart ${name} fits the schemas of Kubernetes, and its figures each other`, {
    skip: both(helm, validate),
  }, () => {
    const text = render(...args);
    const file = join(folder, 'rendered.yaml');
    writeFileSync(file, text);
    assert.match(validateFile(file), /passed for resource statefulset/);
    checkFigures(text);
  });
}

test('values that make no sense are refused', { skip: helm.skip }, () => {
  assert.throws(() => render('--set', 'drain.seconds=soon'), /drain/);
  assert.throws(() => render('--set', 'drian.seconds=30'), /drian/);
  assert.throws(() => render('--set', 'auth.secret=films-auth'), /serverName/);
});

test('the chart lets everyone call, or asks, and never says nothing of it', { skip: helm.skip }, () => {
  const open = render();
  assert.match(open, /name: ACCRETE_AUTH_ALLOW_ANYONE\s+value: "true"/);
  assert.match(open, /kind: NetworkPolicy/);
  const asking = render('--set', 'auth.secret=films-auth,auth.serverName=films');
  assert.doesNotMatch(asking, /ALLOW_ANYONE/);
  for (const name of ['ACCRETE_AUTH_CLIENTS', 'ACCRETE_TLS_CERTIFICATE', 'ACCRETE_TLS_KEY', 'ACCRETE_SERVER_NAME'])
    assert.match(asking, new RegExp(`name: ${name}\\s`));
});

test('compose.yaml: what it mounts is here, nothing floats, and the grace is longer than the drain', () => {
  const { services } = parse(readFileSync(join(ROOT, 'compose.yaml'), 'utf8')) as {
    services: Record<string, { image?: string; volumes?: string[]; read_only?: boolean; stop_grace_period?: string }>;
  };
  assert.deepEqual(Object.keys(services), ['accrete', 'collector', 'prometheus']);
  for (const { image, volumes = [] } of Object.values(services)) {
    assert(!image || /:v?\d+\.\d+/.test(image), image);
    for (const volume of volumes.filter((volume) => volume.startsWith('.')))
      assert.doesNotThrow(() => readFileSync(join(ROOT, volume.split(':')[0])), volume);
  }
  assert.equal(services.accrete.read_only, true);
  assert(Number.parseInt(services.accrete.stop_grace_period ?? '', 10) > 30);
});
