import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LoadModelRequest, ModelServiceService } from '../../proto/gen/accrete/v1/model.ts';
import { ExportRatingsRequest, UserServiceService } from '../../proto/gen/accrete/v1/user.ts';
import type { Client } from '../support/client.ts';
import { GONE, learnOthers, learnThem, PROBE, tracesIn } from '../support/forgotten.ts';
import { leftOut } from '../support/long.ts';
import { rating } from '../support/ratings.ts';
import { pluginPath, TEST_CONFIG, TestServer } from '../support/server.ts';

/** Someone is forgotten while others, and they themselves, go on, and all other work beside the stream runs. */

const config = {
  models: [TEST_CONFIG.models[0], { name: 'mf', plugin: 'mf', config: { k: 8 } }],
  kinds: { click: {} },
  journal: { linkMiB: 1 },
  checkpoint: { everyEvents: 2000 },
};

test('others lose nothing; what they do after the record is of somebody new', { skip: leftOut }, async (t) => {
  const server = await TestServer.start(t, config);
  const { client } = server;
  await learnThem(client);
  let isOver = false;
  const sent: { user: string; item: string; revision: string }[] = [];
  const go = async (user: string, value: number) => {
    const own = server.connect();
    for (let n = 0; !isOver; n++) {
      const item = `beside-${n % 50}`;
      sent.push({ user, item, revision: (await own.rate([rating(user, item, value)])).revision });
    }
  };
  const going = [go('other-1', 2), go('other-2', 3), go(GONE, 4)];
  const beside = [
    client.createCheckpoint(),
    client.fuse({ model: 'mf', guard: { margin: 1 } }),
    client.call(
      ModelServiceService.loadModel,
      LoadModelRequest.fromPartial({ name: 'late', plugin: pluginPath('mean') }),
    ),
    client.collect(UserServiceService.exportRatings, ExportRatingsRequest.fromPartial({})),
  ];
  const { revision } = await client.forgetUser(GONE);
  await Promise.all(beside);
  isOver = true;
  await Promise.all(going);

  await expectLeft(client, sent, revision);
  const before = await Promise.all(['mean', 'mf', 'late'].map(async (name) => (await client.getModel(name)).hash));
  await server.restart();
  await expectLeft(server.client, sent, revision);
  const after = await Promise.all(
    ['mean', 'mf', 'late'].map(async (name) => (await server.client.getModel(name)).hash),
  );
  assert.deepEqual(after, before);

  // They go on no more: now nothing is left, also in what fusing has kept meanwhile.
  await server.client.forgetUser(GONE);
  await learnOthers(server.client, 9, 3);
  await server.client.createCheckpoint();
  assert.deepEqual(tracesIn(server.data), []);
  assert.equal((await server.client.listRatings(GONE)).ratings.length, 0);
  assert.equal((await server.client.rate([rating(GONE, 'item-3', PROBE)])).duplicate, false);
});

/** What each has is what was sent: of the one who was forgotten, what came after the record. */
async function expectLeft(
  client: Client,
  sent: readonly { user: string; item: string; revision: string }[],
  forgotten: string,
): Promise<void> {
  for (const user of ['other-1', 'other-2', GONE]) {
    const expected = sent.filter((each) => each.user === user && (user !== GONE || each.revision > forgotten));
    const { ratings } = await client.listRatings(user, { pageSize: 1000 });
    assert.deepEqual(
      ratings.map(({ itemId }) => itemId).sort(),
      [...new Set(expected.map(({ item }) => item))].sort(),
      user,
    );
  }
}
