import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '../support/client.ts';
import { CuttableClient } from '../support/cuttable.ts';
import { Gate, heldRating } from '../support/gate.ts';
import { Holds, holdingRating } from '../support/holds.ts';
import { parseMetrics } from '../support/prometheus.ts';
import { manyRatings } from '../support/ratings.ts';
import { TEST_CONFIG, TestServer } from '../support/server.ts';
import { readFailure } from '../support/status.ts';

/** A Fuse whose client is lost, in every phase: nothing is left of it. */

const holds = new Holds({ after });
const gate = new Gate({ after });
const server = await TestServer.start(
  { after },
  {
    models: [...TEST_CONFIG.models, holds.model('shifty', { gain: 0.01 }), gate.model],
    metrics: { listen: '127.0.0.1:0' },
  },
);
const { client } = server;
const REQUEST = { model: 'shifty', guard: { margin: 1 } };

for (let from = 0; from < 2700; from += 100) {
  await client.rate(manyRatings(100, { from }));
  if (from === 1400) assert.equal((await client.fuse(REQUEST)).result.version, '2');
}
/** See plugins/refitting.ts: of each thread that holds the model, by scorer and learner. */
const SCRATCH_BYTES = 64 * 1024;
let item = 0;

/** Brings a Fuse of `asking` to a phase, and what lets everything go on. */
type Phase = (begin: () => void) => Promise<() => void>;

const PHASES: Readonly<Record<string, Phase>> = {
  refit: async (begin) => {
    holds.shut('refit');
    begin();
    await holds.held('refit');
    return () => holds.open('refit');
  },
  // In the window: it is tested by then.
  test: async (begin) => {
    const held = holdingRating('u1', `held-${item++}`);
    await client.rate([held]);
    holds.shut('learn', held);
    begin();
    await holds.held('learn');
    return () => holds.open('learn');
  },
  // After the window, in the shared memory.
  replay: async (begin) => {
    holds.shut('refit');
    begin();
    await holds.held('refit');
    const held = holdingRating('u2', `held-${item++}`);
    await client.rate([held]);
    holds.shut('learn', held);
    holds.open('refit');
    await holds.held('learn');
    return () => holds.open('learn');
  },
  // The learner comes to it only when the gate is open.
  join: async (begin) => {
    holds.shut('refit');
    begin();
    await holds.held('refit');
    gate.shut();
    const rated = client.rate([heldRating('u3', `held-${item++}`)]);
    await gate.held();
    holds.open('refit');
    await sleep(300);
    return () => {
      gate.open();
      void rated;
    };
  },
};

const LOSSES = { refit: ['late'], test: ['cut'], replay: ['cancelled', 'late'], join: ['cancelled', 'cut'] } as const;

for (const [phase, losses] of Object.entries(LOSSES)) {
  for (const loss of losses) {
    const bring = PHASES[phase];
    test(`lost in ${phase}, ${loss}`, async (t) => {
      const [before, files] = [await stateOf(client), filesOf()];
      const cuttable = loss === 'cut' ? await CuttableClient.connect(t, server.address) : undefined;
      const begin = () => {
        // Late enough for a slow machine to be in the phase by then.
        const options = loss === 'late' ? { deadline: Date.now() + 4000 } : {};
        call = (cuttable?.client ?? client).watchFuse(REQUEST, options).resume();
        ended = new Promise((resolve) => call?.once('error', resolve).once('end', resolve));
      };
      let call: ReturnType<Client['watchFuse']> | undefined;
      let ended: Promise<unknown> | undefined;
      const goOn = await bring(begin);
      if (loss === 'cancelled') call?.cancel();
      if (loss === 'cut') cuttable?.cut();
      await ended;
      // Nothing that is held has to go on for that, but the learner, once the server has heard of it.
      if (phase === 'join') {
        await sleep(1000);
        goOn();
      }
      await isOver();
      goOn();
      assert.deepEqual(filesOf(), files);
      const { result } = await client.fuse({ ...REQUEST, validateOnly: true });
      assert.equal(result.decision?.passed, true);
      await client.createCheckpoint();
      const now = await stateOf(client);
      assert.deepEqual(now.versions, before.versions);
      assert.equal(now.version, '2');
    });
  }
}

test('30 of them take no more memory than a few, and the checkpoints go on', async () => {
  const used: number[] = [];
  for (let round = 0; round < 30; round++) {
    holds.shut('refit');
    const call = client.watchFuse(REQUEST).resume();
    call.on('error', () => {});
    await holds.held('refit');
    const held = holdingRating('u2', `held-${item++}`);
    await client.rate([held]);
    if (round % 2 === 0) {
      holds.shut('learn', held);
      holds.open('refit');
      await holds.held('learn');
    }
    call.cancel();
    for (const point of ['learn', 'refit'] as const) holds.open(point);
    await isOver();
    used.push(await usedBytes());
  }
  await client.createCheckpoint();
  // Those of half the rounds had taken scratch memory of the server's. The ratings have grown a little.
  assert((used.at(-1) ?? 0) - used[4] < 4 * SCRATCH_BYTES, String(used));
});

test('a client that takes nothing holds up nobody', async () => {
  const call = client.watchFuse(REQUEST);
  call.pause();
  call.on('error', () => {});
  while ((await stateOf(client)).version !== '3') await sleep(20);
  await client.createCheckpoint();
  call.cancel();
  await isOver();
  assert.equal((await client.rollbackModel('shifty')).model?.version, '2');
});

/** Resolves when the model is not being changed any more, which takes no long time. */
async function isOver(): Promise<void> {
  const startMs = performance.now();
  for (;;) {
    try {
      await client.rollbackModel('shifty', '1', true);
      return;
    } catch (error) {
      assert.equal(readFailure(error).reason, 'MODEL_CHANGING');
    }
    assert(performance.now() - startMs < 3000, 'it is still being changed');
    await sleep(10);
  }
}

async function stateOf(of: Client) {
  const { model, hashes } = await of.getModel('shifty');
  return { version: model?.version, versions: model?.versions.map(({ version }) => version), tables: hashes?.tables };
}

/** Of all versions. */
const filesOf = () => readdirSync(join(server.data, 'state', 'versions'), { recursive: true }).sort();

async function usedBytes(): Promise<number> {
  const samples = parseMetrics(await (await fetch(server.url('/metrics'))).text());
  return samples.find(({ name, labels }) => name === 'accrete_memory_bytes' && labels.state === 'used')?.value ?? 0;
}
