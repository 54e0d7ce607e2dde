import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Holds, holdingRating } from '../support/holds.ts';
import { leftOut } from '../support/long.ts';
import { manyRatings } from '../support/ratings.ts';
import { TEST_CONFIG } from '../support/server.ts';
import { ServerProcess } from '../support/server-process.ts';

/** A search that is cut off by a kill goes on where it was, and comes to what it would have come to. */

const holds = new Holds({ after });
const holding = holds.model('held', { start: 1 });
const held = { ...holding, config: { start: 1 } };
const models = [...TEST_CONFIG.models, held];
const server = await ServerProcess.start({ after }, { models });
// Half of the candidates wait in the search: those after the first cohort.
const start = [0, 0.2, 0.4, 0.6, 0.8, -0.2, -0.4, -0.6, -0.8];
const request = { name: 'held', space: { start, holds: ['', holding.config.holds] }, validateOnly: true };

test('a search goes on after a kill, with the window that it had', { skip: leftOut }, async () => {
  for (let from = 0; from < 2000; from += 100) await server.client.rate(manyRatings(100, { from }));
  await cutOff(request);
  await server.start();
  assert.equal(notes().length, 1);
  const { result } = await server.client.tune(request);
  assert.equal(result.resumedReplays, 8);
  assert.equal(result.candidates[0].config?.start, 0);
  assert.deepEqual(notes(), [], 'it is decided');
  const anew = (await server.client.tune(request)).result;
  assert.equal(anew.resumedReplays, 0);
  assert.deepEqual({ ...result, resumedReplays: 0 }, anew);
  assert.equal((await server.client.getModel('held')).model?.versions.length, 1);
});

test('what places came to at another pace is of another search', { skip: leftOut }, async () => {
  const asked = { ...request, metric: 'mrr', guard: { metric: 'rmse' } };
  await cutOff(asked);
  server.configure({ models, evaluation: { rankEvery: 7 } });
  await server.start();
  assert.equal((await server.client.tune(asked)).result.resumedReplays, 0);
});

/** Kills the server while candidates are searched. */
async function cutOff(asked: Parameters<typeof server.client.tune>[0]): Promise<void> {
  const stop = holdingRating('u1', 'held');
  await server.client.rate([stop]);
  holds.shut('learn', stop);
  const cut = server.client.tune(asked).catch(() => {});
  await holds.held('learn');
  await server.kill();
  await cut;
  holds.open('learn');
}

function notes(): string[] {
  return readdirSync(join(server.data, 'state', 'searches'));
}
