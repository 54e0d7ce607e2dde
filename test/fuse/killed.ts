import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { Gate, heldRating } from '../support/gate.ts';
import { Holds, holdingRating } from '../support/holds.ts';
import { manyRatings } from '../support/ratings.ts';
import { TEST_CONFIG } from '../support/server.ts';
import { ServerProcess } from '../support/server-process.ts';
import { removeCheckpoints } from '../support/stored-versions.ts';

/** A server that is killed, or stopped, in every phase of a promotion: the model is as it was, or promoted, to the byte. */

/** So long each step may take. */
const STEP_MAX_MS = 60_000;

const REQUEST = { model: 'shifty', guard: { margin: 1 } };

interface Scene {
  readonly server: ServerProcess;
  readonly holds: Holds;
  readonly gate: Gate;
  /** Resolves when the Fuse is over, however it ended. */
  readonly begin: () => Promise<unknown>;
  /** Waits for what the Fuse comes to; throws when it ends before, or the server does not get there. */
  readonly until: (what: string, isThere: () => boolean) => Promise<void>;
}

/** Each brings a Fuse to a phase. Returns the version that has to serve afterwards. */
const PHASES: Readonly<Record<KilledPhase, (scene: Scene) => Promise<string>>> = {
  refit: async ({ holds, begin, until }) => {
    holds.shut('refit');
    void begin();
    await until('refit', () => holds.isHeld('refit'));
    return '1';
  },
  replay: async ({ server, holds, begin, until }) => {
    holds.shut('refit');
    void begin();
    await until('refit', () => holds.isHeld('refit'));
    const held = holdingRating('u1', 'held');
    await server.client.rate([held]);
    holds.shut('learn', held);
    holds.open('refit');
    await until('learn', () => holds.isHeld('learn'));
    return '1';
  },
  // The artefact is on disk, its record is not.
  join: async ({ server, holds, gate, begin, until }) => {
    holds.shut('refit');
    void begin();
    await until('refit', () => holds.isHeld('refit'));
    server.client.rate([heldRating('u1', 'held')]).catch(() => {});
    await gate.held();
    holds.open('refit');
    await until('a version that is saved', () => isSaved(server, 'shifty@2'));
    await sleep(100);
    return '1';
  },
  // The record is on disk; the version that served is perhaps not kept yet.
  keep: async ({ server, begin }) => {
    void begin();
    while ((await server.client.recommend('u1', { model: 'shifty' })).modelVersion !== '2');
    return '2';
  },
  promoted: async ({ begin }) => {
    await begin();
    return '2';
  },
};

export type KilledPhase = 'refit' | 'replay' | 'join' | 'keep' | 'promoted';
export const ALL_PHASES = ['refit', 'replay', 'join', 'keep', 'promoted'] as const;

export function testKilled(phase: KilledPhase): void {
  test(`killed in ${phase}, and again without checkpoints`, async (t) => {
    const scene = await begin(t);
    const { server } = scene;
    const before = await stateOf(server);
    const version = await PHASES[phase](scene);
    scene.gate.open();
    await server.kill();
    await server.start();
    const after = await stateOf(server);
    assert.equal(after.version, version);
    if (version === '1' && phase === 'refit') assert.deepEqual(after, before);
    await server.kill();
    removeCheckpoints(server.data);
    await server.start();
    assert.deepEqual(await stateOf(server), after);
    // What was saved and never promoted is gone.
    if (version === '1') assert.equal(isSaved(server, 'shifty@2'), false);
    else assert.equal((await server.client.rollbackModel('shifty')).model?.version, '1');
  });
}

/** One server, which is stopped in one phase after the other. */
export function testStopped(phases: readonly KilledPhase[]): void {
  test(`a stop in ${phases.join(', ')} is a clean one`, async (t) => {
    const scene = await begin(t);
    const { server, gate, holds } = scene;
    for (const phase of phases) {
      const version = await PHASES[phase](scene);
      gate.open();
      const startMs = performance.now();
      const exit = await server.stop();
      assert.deepEqual(exit, { code: 0, signal: null }, `in ${phase}: ${server.stderr}`);
      assert(performance.now() - startMs < 5000, `in ${phase}, ${performance.now() - startMs} ms`);
      for (const point of ['refit', 'learn'] as const) holds.open(point);
      await server.start();
      assert.equal((await stateOf(server)).version, version, phase);
      gate.shut();
    }
  });
}

async function begin(t: Parameters<typeof ServerProcess.start>[0]): Promise<Scene> {
  const [holds, gate] = [new Holds(t), new Gate(t)];
  const models = [...TEST_CONFIG.models, holds.model('shifty', { gain: 0.001 }), gate.model];
  const server = await ServerProcess.start(t, { models });
  for (let from = 0; from < 1500; from += 100) await server.client.rate(manyRatings(100, { from }));
  let latest: { end?: unknown } = {};
  const begin = async () => {
    const fuse: { end?: unknown } = {};
    latest = fuse;
    fuse.end = await server.client.fuse(REQUEST).catch((error) => error);
  };
  const until = async (what: string, isThere: () => boolean) => {
    const startMs = performance.now();
    // Else it would wait for ever, and the process with it.
    while (!isThere()) {
      const isLate = performance.now() - startMs > STEP_MAX_MS;
      const { end } = latest;
      assert(end === undefined && !isLate, `${what} never came; the Fuse: ${inspect(end)}\n${server.stderr}`);
      await sleep(5);
    }
  };
  return { server, holds, gate, begin, until };
}

function isSaved({ data }: ServerProcess, version: string): boolean {
  const folder = join(data, 'state', 'versions', version);
  return existsSync(folder) && readdirSync(folder).some((name) => /\d$|\.mdb$/.test(name) && !name.includes('.new'));
}

async function stateOf({ client }: ServerProcess) {
  const { hash, model } = await client.getModel('shifty');
  return { hash, version: model?.version, revision: model?.revision };
}
