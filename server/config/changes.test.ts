import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findChanges, isReloadable } from './changes.ts';
import { parseConfig } from './load.ts';
import type { ConfigInput } from './schema.ts';
import { settings } from './settings.ts';

const GUARDED = { tls: { certificate: 'a', key: 'b' }, auth: { clients: 'c' } };

function changes(before: ConfigInput, after: ConfigInput) {
  return findChanges(parseConfig(before).config, parseConfig(after).config);
}

test('what changes while it runs is taken over, and the rest is said to need a restart', () => {
  const after = {
    tls: { ...GUARDED.tls, clientCertificates: 'optional' },
    auth: { clients: 'd', callsPerSecond: 5, allowPlaintext: true },
    log: { level: 'warn' },
    jobs: { max: 3 },
  } as const;
  const { config, applied, restart } = changes(GUARDED, after);
  assert.deepEqual(applied.toSorted(), ['auth.callsPerSecond', 'auth.clients', 'log.level']);
  const late = ['auth.allowPlaintext', 'jobs.max', 'tls.clientCertificates'];
  assert.deepEqual(restart.toSorted(), late);
  assert.deepEqual(
    [config.auth.clients, config.auth.callsPerSecond, config.log.level, config.jobs.max],
    ['d', 5, 'warn', 2],
  );
  // The next time it is read they are still to come.
  assert.deepEqual(findChanges(config, parseConfig(after).config).restart.toSorted(), late);
});

test('what listens stays as it is: encryption and authentication begin and end with a start', () => {
  for (const [before, after] of [
    [{}, GUARDED],
    [GUARDED, {}],
  ]) {
    const { config, applied, restart } = changes(before, after);
    assert.deepEqual([applied, restart.toSorted()], [[], ['auth.clients', 'tls.certificate', 'tls.key']]);
    assert.deepEqual(config, parseConfig(before).config);
  }
  assert.deepEqual(changes(GUARDED, GUARDED), { config: parseConfig(GUARDED).config, applied: [], restart: [] });
});

test('every setting that is taken over is one', () => {
  assert.deepEqual([...settings.keys()].filter(isReloadable).length, 13);
});
