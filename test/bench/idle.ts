import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClientsFile } from '../support/clients-file.ts';
import { ROOT } from '../support/server-process.ts';
import type { Scope } from '../support/temporary-folder.ts';
import { ofRounds, type Report } from './report.ts';

/**
 * What a sidecar costs that nobody calls yet: the published package on an empty store, its start and its memory; and what
 * namespaces cost more.
 */

const part = 'idle';
const ROUNDS = 3;
/** How many besides "". */
const NAMESPACES = [2, 6];
const START_S_MAX = 1.5;
const RESIDENT_MB_MAX = 150;
/** Longer than a server waits until it gives memory back. */
const IDLE_MS = 6000;
const MAIN = join(ROOT, 'build/package/server/main.js');

export async function benchIdle(report: Report): Promise<void> {
  report.heading('An empty store and nobody who calls: the package as it is published');
  execFileSync(process.execPath, [join(ROOT, 'setup/package.mjs'), '--unpacked'], { stdio: 'inherit' });
  const folder = mkdtempSync(join(tmpdir(), 'accrete-bench-'));
  const ends: (() => unknown)[] = [];
  try {
    const cache = join(folder, 'cache');
    mkdirSync(cache);
    const first = await measure(join(folder, 'first'), cache);
    const rounds: Idle[] = [];
    for (let n = 0; n < ROUNDS; n++) rounds.push(await measure(join(folder, `${n}`), cache));
    report.add({ part, name: 'first start, nothing compiled before', value: first.seconds, unit: 's' });
    const seconds = ofRounds(rounds.map(({ seconds }) => seconds));
    report.add({ part, name: 'start', ...seconds, unit: 's', target: { atMost: START_S_MAX } });
    const resident = ofRounds(rounds.map(({ residentMb }) => residentMb));
    report.add({ part, name: 'resident', ...resident, unit: 'MB', target: { atMost: RESIDENT_MB_MAX } });
    const own = ofRounds(rounds.map(({ ownMb }) => ownMb));
    report.add({ part, name: '  of which no file backs', ...own, unit: 'MB' });
    for (const count of NAMESPACES) {
      const flags = namespaceFlags({ after: (run) => ends.push(run) }, count);
      const more: Idle[] = [];
      for (let n = 0; n < ROUNDS; n++) more.push(await measure(join(folder, `of-${count}-${n}`), cache, flags));
      const all = ofRounds(more.map(({ residentMb }) => residentMb));
      report.add({ part, name: `resident, with ${count} namespaces`, ...all, unit: 'MB' });
      const each = ofRounds(more.map(({ residentMb }, n) => (residentMb - rounds[n].residentMb) / count));
      report.add({ part, name: '  for each of them', ...each, unit: 'MB' });
    }
  } finally {
    for (const end of ends) await end();
    rmSync(folder, { recursive: true });
  }
}

/** A server has namespaces for clients that it knows. */
function namespaceFlags(scope: Scope, count: number): string[] {
  const names = Array.from({ length: count }, (_, n) => [`n${n}`, {}]);
  const clients = new ClientsFile(scope, [{ name: 'nobody', role: 'read', token: 'nobody' }]).path;
  return ['--namespaces', JSON.stringify(Object.fromEntries(names)), '--auth.clients', clients];
}

interface Idle {
  readonly seconds: number;
  readonly residentMb: number;
  readonly ownMb: number;
}

async function measure(data: string, cache: string, more: readonly string[] = []): Promise<Idle> {
  const env = { PATH: process.env.PATH, NODE_COMPILE_CACHE: cache };
  const flags = ['--data', data, '--listen', '127.0.0.1:0', '--metrics.listen', '127.0.0.1:0', ...more];
  const beganMs = performance.now();
  const server = spawn(process.execPath, [MAIN, ...flags], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(server, 'exit');
  try {
    for await (const line of createInterface({ input: server.stderr })) if (line.includes('"msg":"ready"')) break;
    const seconds = (performance.now() - beganMs) / 1000;
    await sleep(IDLE_MS);
    const status = readFileSync(`/proc/${server.pid}/status`, 'utf8');
    const mb = (name: string) => (Number(new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(status)?.[1]) * 1024) / 1e6;
    return { seconds, residentMb: mb('VmRSS'), ownMb: mb('RssAnon') };
  } finally {
    server.kill();
    await ended;
  }
}
