import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { stringify } from 'yaml';
import { FuseStrategy } from '../../proto/gen/accrete/v1/fuse.ts';
import { parseMetrics } from '../support/prometheus.ts';
import { rating } from '../support/ratings.ts';
import { TestServer } from '../support/server.ts';
import { ROOT } from '../support/server-process.ts';
import { makeFolder } from '../support/temporary-folder.ts';
import { FOLDER, findExpressions, groupedLabelsOf, selectorsOf } from './expressions.ts';
import { getPromtool, run } from './tools.ts';

/** Dashboards and alerts ask for metrics and labels that a server has, and Prometheus' own checker reads all of it. */

const MODELS = ['mf', 'popularity'];
/** What Prometheus itself adds. */
const OF_PROMETHEUS = ['job', 'instance', 'le'];

const promtool = getPromtool();
const { skip } = promtool;
const check = (...args: string[]) => run(promtool.path, args);

/** A server on which everything has happened that is counted. */
const server = await TestServer.start(
  { after },
  {
    metrics: { listen: '127.0.0.1:0' },
    models: MODELS.map((name) => ({ name, plugin: name })),
    evaluation: { rankEvery: 1 },
  },
);
const { client } = server;
for (let n = 0; n < 40; n++) await client.rate([rating(`user-${n % 5}`, `item-${n % 8}`, 1 + (n % 5))]);
await client.recommend('user-1');
await client.createCheckpoint();
// A candidate that is refused, since there are too few ratings, is counted all the same.
await assert.rejects(client.fuse({ model: 'mf', strategy: FuseStrategy.FUSE_STRATEGY_REFIT }));
const scrape = await (await fetch(server.url('/metrics'))).text();

const known = new Map<string, Set<string>>([['up', new Set()]]);
for (const { name, labels } of parseMetrics(scrape)) {
  const all = known.get(name) ?? new Set();
  for (const label of Object.keys(labels)) all.add(label);
  known.set(name, all);
}

const expressions = findExpressions();

test('there are expressions, and they are read', () => {
  assert(expressions.size >= 30, `${expressions.size}`);
  const [selector] = selectorsOf('sum by (accrete_x) (rate(accrete_rate_events_total{model="", result!="a"}[5m]))');
  assert.deepEqual(selector, { metric: 'accrete_rate_events_total', labels: ['model', 'result'] });
});

for (const [place, expression] of expressions) {
  test(`${place} asks for metrics and labels that exist`, () => {
    const selectors = selectorsOf(expression);
    assert(selectors.length > 0, expression);
    for (const { metric, labels } of selectors) {
      const there = known.get(metric);
      assert(there, `there is no metric ${metric}`);
      for (const label of labels)
        assert(there.has(label) || OF_PROMETHEUS.includes(label), `${metric} has no label ${label}`);
    }
    const all = new Set(selectors.flatMap(({ metric }) => [...(known.get(metric) ?? [])]));
    for (const label of groupedLabelsOf(expression))
      assert(all.has(label) || OF_PROMETHEUS.includes(label), `no metric of it has a label ${label}`);
  });
}

test('the metrics have the names that are promised', () => {
  for (const [name, labels] of Object.entries(PROMISED)) {
    assert(known.has(name), name);
    for (const label of labels) assert(known.get(name)?.has(label), `${name}{${label}}`);
  }
  assert(!/user-\d|item-\d/.test(scrape), 'no user and no item is a label');
});

/** Names that dashboards elsewhere rely on. */
const PROMISED: Readonly<Record<string, readonly string[]>> = {
  rpc_server_call_duration_seconds_bucket: ['rpc_system_name', 'rpc_method', 'rpc_status_code'],
  accrete_rate_events_total: ['model', 'result'],
  accrete_recommend_duration_seconds_bucket: ['model'],
  accrete_prequential_mae: ['model'],
  accrete_prequential_rmse: ['model'],
  accrete_prequential_hit_rate: ['model'],
  accrete_model_revision: ['model'],
  accrete_update_lag_seconds: [],
  accrete_fuse_total: ['strategy', 'result'],
  accrete_checkpoint_duration_seconds_bucket: [],
  accrete_table_bytes: ['model', 'table'],
};

test('promtool finds no fault in the metrics', { skip }, () => {
  run(promtool.path, ['check', 'metrics'], {}, scrape);
});

test('promtool reads the configuration, the rules and their examples', { skip }, () => {
  check('check', 'config', join(FOLDER, 'prometheus.yaml'));
  check('test', 'rules', join(FOLDER, 'alerts.test.yaml'));
});

test('promtool reads every expression of the dashboard', { skip }, () => {
  const rules = [...expressions.values()].map((expr, n) => ({ record: `checked:${n}`, expr }));
  const file = join(makeFolder({ after }), 'rules.yaml');
  writeFileSync(file, stringify({ groups: [{ name: 'dashboard', rules }] }));
  assert.match(check('check', 'rules', file), new RegExp(`${rules.length} rules found`));
});

test('documents name metrics that exist', () => {
  const text = readFileSync(join(ROOT, 'docs/deployment.md'), 'utf8');
  const named = [...text.matchAll(/`(accrete_[a-z_]+)/g)].map(([, name]) => name);
  assert(named.length >= 5);
  for (const name of named)
    assert(
      [...known.keys()].some((metric) => metric.startsWith(name)),
      name,
    );
});
