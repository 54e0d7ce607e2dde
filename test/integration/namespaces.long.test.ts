import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { ServiceError } from '@grpc/grpc-js';
import { Item } from '../../proto/gen/accrete/v1/catalog.ts';
import { CreateExperimentRequest, ExperimentServiceService } from '../../proto/gen/accrete/v1/experiment.ts';
import { ListModelsRequest, LoadModelRequest, ModelServiceService } from '../../proto/gen/accrete/v1/model.ts';
import { RateStreamRequest } from '../../proto/gen/accrete/v1/recommender.ts';
import { UserServiceService } from '../../proto/gen/accrete/v1/user.ts';
import type { ConfigInput } from '../../server/config/schema.ts';
import { createServer } from '../../server/server.ts';
import type { Client } from '../support/client.ts';
import { ClientsFile } from '../support/clients-file.ts';
import { rating } from '../support/ratings.ts';
import { servicesOf } from '../support/reflection.ts';
import { pluginPath, TEST_CONFIG, TestServer } from '../support/server.ts';
import { errorOf, failureOf, readFailure } from '../support/status.ts';

/** Namespaces: the same ids, models and requests in each are others, and nothing of one is seen in another. */

const file = new ClientsFile({ after }, [
  { name: 'main', role: 'admin', token: 'token-main' },
  { name: 'shop', role: 'admin', token: 'token-shop', namespace: 'shop' },
  { name: 'blog', role: 'admin', token: 'token-blog', namespace: 'blog', limits: { callsPerSecond: 1000 } },
]);
const config = {
  auth: { clients: file.path },
  namespaces: { shop: { budgetMiB: 64 }, blog: {} },
  metrics: { listen: '127.0.0.1:0' },
} as const satisfies ConfigInput;
const server = await TestServer.start({ after }, config);
const connect = (name: string) => server.connect({ token: `token-${name}` });

test('what one namespace has is in no other: ids, ratings, items, models, experiments, requests, figures', async () => {
  const [main, shop, blog] = ['main', 'shop', 'blog'].map(connect);
  const secret = 'sold-in-the-shop-alone';
  const requestId = 'the-same-request';
  assert.equal(
    (await shop.rate([rating('ann', secret, 5), rating('bob', 'common', 4)], { requestId })).duplicate,
    false,
  );
  await shop.upsertItems([Item.fromPartial({ itemId: secret, title: 'A title of the shop' })]);
  await shop.call(ModelServiceService.loadModel, load('of-the-shop', 'popularity'));
  const arms = ['mean', 'popularity'].map((model) => ({ name: `of-the-shop-${model}`, model, weight: 1 }));
  const experiment = { name: 'of-the-shop', arms };
  await shop.call(ExperimentServiceService.createExperiment, CreateExperimentRequest.fromPartial({ experiment }));
  assert.match((await shop.recommend('ann')).arm, /of-the-shop/);
  // The same id of a request, with other ratings.
  assert.equal((await blog.rate([rating('ann', 'common', 1)], { requestId })).duplicate, false);

  for (const other of [main, blog]) {
    assert.equal((await failureOf(other.getItem(secret))).reason, 'ITEM_NOT_FOUND');
    assert.equal((await failureOf(other.getModel('of-the-shop'))).reason, 'MODEL_NOT_FOUND');
    assert.equal((await other.recommend('ann')).arm, '');
    assert.deepEqual(await other.allRatings('bob'), []);
    const { items } = await other.recommend('zoe', { candidateItemIds: [secret, 'common'], includeSeen: true });
    const like = await failureOf(other.recommendLike(secret));
    const seen = JSON.stringify(
      [
        items.map(({ itemId }) => itemId),
        like,
        await other.call(ModelServiceService.listModels, ListModelsRequest.fromPartial({})),
      ],
      (_key, value) => (typeof value === 'bigint' ? String(value) : value),
    );
    assert(!seen.includes('of-the-shop') && !seen.includes('title of the shop'), seen);
  }
  assert.deepEqual(
    (await blog.allRatings('ann')).map(({ itemId, value }) => [itemId, value]),
    [['common', 1]],
  );
  assert.deepEqual(
    (await shop.allRatings('ann')).map(({ itemId }) => itemId),
    [secret],
  );
  assert.equal((await failureOf(main.call(UserServiceService.getUser, { userId: 'ann' }))).reason, 'USER_NOT_FOUND');
  // A revision says how much was taken, of one namespace alone.
  const { revision } = await blog.rate([rating('eve', 'common', 2)]);
  const busy = await shop.rate([rating('eve', 'common', 2)]);
  assert.equal((await failureOf(blog.recommend('eve', { minRevision: busy.revision }))).reason, 'REVISION_BEYOND_LAST');
  await blog.recommend('eve', { minRevision: revision });
});

test('no method answers with anything of another namespace, whole exports included', async () => {
  const walked = async (name: string) => {
    const client = connect(name);
    const methods = [...(await servicesOf(client))].flatMap(([service, names]) =>
      names.map((each) => `/${service}/${each}`),
    );
    const telling: string[] = [];
    // One after the other: there is room for few jobs at once.
    for (const path of methods.filter((each) => !each.startsWith('/grpc.')))
      if (MARKERS.test(await textOf(client, path))) telling.push(path);
    return telling;
  };
  assert.deepEqual([await walked('main'), await walked('blog')], [[], []]);
  const own = await walked('shop');
  for (const method of ['ListItems', 'ListModels', 'ListExperiments', 'ExportRatings', 'ExportCheckpoint'])
    assert(
      own.some((path) => path.endsWith(`/${method}`)),
      `${method} tells its own namespace of it: ${own}`,
    );
});

const MARKERS = /sold-in-the-shop-alone|title of the shop|of-the-shop/;

/** All that a method answers to an empty request, what it is refused with included. */
async function textOf(client: Client, path: string): Promise<string> {
  const parts: Buffer[] = [];
  const method = { path, requestSerialize: (bytes: Buffer) => bytes, responseDeserialize: (bytes: Buffer) => bytes };
  try {
    for await (const bytes of client.watch(method, Buffer.alloc(0), { deadline: Date.now() + 20_000 }))
      parts.push(bytes);
  } catch (error) {
    const { details, metadata } = error as ServiceError;
    parts.push(Buffer.from(details), ...metadata.get('grpc-status-details-bin').map((each) => Buffer.from(each)));
  }
  return Buffer.concat(parts).toString('latin1');
}

test('a model of the figures of one says nothing of another', async () => {
  const [shop, blog] = ['shop', 'blog'].map(connect);
  const before = await blog.getModel('mean');
  for (let n = 0; n < 20; n++) await shop.rate([rating(`user ${n}`, 'common', 5)]);
  assert.deepEqual(await blog.getModel('mean'), before);
});

test('whoever keeps a namespace loads the plugins of the server, and no file or package', async () => {
  const [main, shop] = ['main', 'shop'].map(connect);
  const anyFile = load('any-file', pluginPath('mean'));
  const refused = await failureOf(shop.call(ModelServiceService.loadModel, anyFile));
  assert.match(refused.fields.plugin, /takes no paths and no packages/);
  for (const plugin of ['zod', 'blend(popularity,zod)', '../plugins/popularity/plugin.ts'])
    assert.equal(
      (await failureOf(shop.call(ModelServiceService.loadModel, load('any', plugin)))).reason,
      'INVALID_FIELD',
    );
  await main.call(ModelServiceService.loadModel, anyFile);
});

test('a stream ends with its next request when its client gets another namespace', async () => {
  const main = { name: 'main', role: 'admin', token: 'token-main' } as const;
  const others = ['shop', 'blog'].map(
    (name) => ({ name, role: 'admin', token: `token-${name}`, namespace: name }) as const,
  );
  const stream = connect('blog').rateStream();
  const send = () => stream.send(RateStreamRequest.fromPartial({ ratings: [rating('flo', 'common', 3)] }));
  send();
  await stream.next();
  file.write([main, ...others.map((client) => ({ ...client, namespace: 'shop' }))]);
  server.reload();
  send();
  assert.equal(readFailure(await errorOf(stream.next())).reason, 'CREDENTIALS_INVALID');
  file.write([main, ...others]);
  server.reload();
  assert.equal((await connect('blog').allRatings('flo')).length, 1);
});

test('each has a store of its own, and metrics', async () => {
  const scrape = async (path: string) => await (await fetch(server.url(path))).text();
  const shop = await scrape('/metrics/shop');
  assert.match(shop, /accrete_rate_requests_total\{.*namespace="shop".*\} \d+/);
  assert(
    !(await scrape('/metrics')).includes('of-the-shop') && !(await scrape('/metrics/blog')).includes('of-the-shop'),
  );
  assert.equal((await fetch(server.url('/metrics/nothing'))).status, 404);
  assert(existsSync(join(server.data, 'namespaces', 'shop', 'journal')));
  const holds = (folder: string) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => statSync(join(folder, name)).isFile() && !name.startsWith('namespaces/shop'))
      .filter((name) => readFileSync(join(folder, name)).includes('sold-in-the-shop-alone'));
  assert.deepEqual(holds(server.data), []);
});

test('a restart keeps each apart, and a namespace that is taken out is not reached', async () => {
  const ratingsOf = async (name: string) => (await connect(name).allRatings('ann')).map(({ itemId }) => itemId);
  await server.restart();
  assert.deepEqual(
    [await ratingsOf('main'), await ratingsOf('shop'), await ratingsOf('blog')],
    [[], ['sold-in-the-shop-alone'], ['common']],
  );
  file.write([
    { name: 'main', role: 'admin', token: 'token-main' },
    { name: 'blog', role: 'admin', token: 'token-blog', namespace: 'blog' },
  ]);
  server.reload();
  assert.equal((await failureOf(connect('shop').recommend('ann'))).reason, 'CREDENTIALS_INVALID');
  assert.deepEqual(await ratingsOf('blog'), ['common']);
});

test('a client of a namespace that is not there, and namespaces that nobody is asked for, are refused', async () => {
  file.write([{ name: 'blog', role: 'admin', token: 'token-blog', namespace: 'blog' }]);
  const lost = { ...TEST_CONFIG, data: join(server.data, 'unused'), auth: { clients: file.path } };
  await assert.rejects(
    createServer(lost).start(),
    /clients\[0\]\.namespace: the setting namespaces does not have blog/,
  );
  assert.throws(() => createServer({ ...TEST_CONFIG, namespaces: { shop: {} } }), /namespaces: .* set `auth\.clients`/);
  assert.throws(
    () => createServer({ ...TEST_CONFIG, ...config, namespaces: { '../up': {} } }),
    /has the name '\.\.\/up'/,
  );
});

function load(name: string, plugin: string) {
  return LoadModelRequest.fromPartial({ name, plugin });
}
