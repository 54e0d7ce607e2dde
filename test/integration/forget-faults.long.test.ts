import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserServiceService } from '../../proto/gen/accrete/v1/user.ts';
import { type Fault, FaultyServer } from '../support/faulty-server.ts';
import { GONE, learnThem, othersOf, tracesIn, untilGone } from '../support/forgotten.ts';
import { rating } from '../support/ratings.ts';
import { TEST_CONFIG } from '../support/server.ts';
import { ServerProcess } from '../support/server-process.ts';
import { failureOf } from '../support/status.ts';

/** A disk that is full or fails at any step is told, others go on, and asking again finishes it; so does a stop. */

const config = { models: [TEST_CONFIG.models[0]], kinds: { click: {} }, journal: { linkMiB: 1 } };

const STEPS: Readonly<Record<string, Omit<Fault, 'flag' | 'code'>>> = {
  note: { thread: 'main', function: 'writeFile', path: 'forgetting/.*json.new$' },
  seal: { thread: 'learner', function: 'writeFile', path: 'journal/\\d+\\.mdb\\.new$' },
  checkpoint: { thread: 'checkpoint', function: 'rename', path: 'state/\\d+\\.mdb$' },
  journal: { thread: 'purge', function: 'rename', path: 'journal/\\d+\\.mdb$' },
};
const REASONS: Readonly<Record<string, string>> = { seal: 'APPEND_FAILED', journal: 'APPEND_FAILED' };

for (const [step, place] of Object.entries(STEPS)) {
  const code = step === 'journal' || step === 'checkpoint' ? 'EIO' : 'ENOSPC';
  test(`${code}: ${step}`, async (t) => {
    const faulty = await FaultyServer.start(t, config, { ...place, code });
    const { client, data } = faulty.server;
    await learnThem(client);
    const before = await othersOf(client);
    faulty.arm();
    const expected = code === 'ENOSPC' ? 'DISK_FULL' : (REASONS[step] ?? 'CHECKPOINT_FAILED');
    assert.equal((await failureOf(client.forgetUser(GONE))).reason, expected);
    assert.equal((await failureOf(client.forgetUser(GONE))).reason, expected, 'still');
    await client.rate([rating('user-1', 'item-new', 5)]);
    await client.recommend('user-1');
    faulty.mend();
    const { removals } = await client.forgetUser(GONE);
    assert.ok(removals.length > 0);
    assert.deepEqual(tracesIn(data), []);
    assert.deepEqual((await othersOf(client)).map(withoutNew), before.map(withoutNew));
  });
}

function withoutNew(ratings: Awaited<ReturnType<typeof othersOf>>[number]) {
  return ratings.filter(({ itemId }) => itemId !== 'item-new');
}

test('whoever asked may go: it is finished all the same; a stop is quick, and the next start finishes it', async (t) => {
  const server = await ServerProcess.start(t, config);
  const { client } = server;
  await learnThem(client);
  const request = { userId: GONE, validateOnly: false };
  await assert.rejects(client.call(UserServiceService.forgetUser, request, { deadline: Date.now() + 30 }));
  await untilGone(server.data);

  for (let n = 0; n < 5; n++)
    await client.rate(Array.from({ length: 5000 }, (_, at) => rating(GONE, `item-${5000 * n + at}`, 3)));
  const forgetting = failureOf(client.forgetUser(GONE));
  while (Number((await client.getUser(GONE)).ratingCount) === 25_000);
  const startMs = performance.now();
  await server.stop();
  const tookMs = performance.now() - startMs;
  assert.ok(tookMs < 5000, `it took ${tookMs} ms`);
  assert.equal((await forgetting).reason, 'DRAINING');
  await server.start();
  await untilGone(server.data);
});
