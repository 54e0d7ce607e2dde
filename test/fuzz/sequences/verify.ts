import assert from 'node:assert/strict';
import { ModelServiceService } from '../../../proto/gen/accrete/v1/model.ts';
import { listing } from '../../integration/kinds-reference.ts';
import type { Client } from '../../support/client.ts';
import { failureOf } from '../../support/status.ts';
import type { Reference } from './reference.ts';
import { REFITTED, type System, TWIN } from './system.ts';

/** Asks a server everything that the reference knows. */
export async function verify(reference: Reference, { client }: System, ids: { users: string[]; items: string[] }) {
  await Promise.all([
    ...[...ids.users, ...reference.crowd.slice(-1)].map((user) => verifyUser(reference, client, user)),
    ...ids.items.map((item) => verifyItem(reference, client, item)),
    verifyLists(reference, client),
    verifyVersions(reference, client),
  ]);
}

async function verifyUser(reference: Reference, client: Client, user: string): Promise<void> {
  const rated = (await client.allRatings(user)).map(({ itemId, kind, value, weight, eventTime }) => ({
    item: itemId,
    kind,
    value,
    weight: weight ?? 1,
    time: Number(eventTime?.seconds),
  }));
  assert.deepEqual(rated, listing(reference.ratings, user), `ratings of ${user}`);
  const { items } = await client.recommend(user, { pageSize: 100 });
  const offered = items.map(({ itemId }) => itemId);
  assert.deepEqual(offered.toSorted(), reference.offered(user).toSorted(), `what is recommended to ${user}`);
  if (!reference.users.has(user)) {
    assert.equal((await failureOf(client.getUser(user))).reason, 'USER_NOT_FOUND');
    return;
  }
  const found = await client.getUser(user);
  assert.deepEqual(found.user?.labels, reference.toldOfUsers.get(user) ?? [], `labels of ${user}`);
}

async function verifyItem(reference: Reference, client: Client, itemId: string): Promise<void> {
  if (!reference.listedItems.includes(itemId)) {
    assert.equal((await failureOf(client.getItem(itemId))).reason, 'ITEM_NOT_FOUND', itemId);
    return;
  }
  const { item, ratingCount } = await client.getItem(itemId);
  const told = reference.toldOfItems.get(itemId) ?? { title: '', labels: [] };
  assert.deepEqual({ title: item?.title, labels: item?.labels }, told, `what is known of ${itemId}`);
  const count = reference.ratings.ratings.filter((rating) => rating.item === itemId).length;
  assert.equal(Number(ratingCount), count, `ratings of ${itemId}`);
}

async function verifyLists(reference: Reference, client: Client): Promise<void> {
  const { items } = await client.listItems({ pageSize: 100 });
  assert.deepEqual(
    items.map(({ itemId }) => itemId),
    reference.listedItems,
    'items that are listed',
  );
  const { models } = await client.call(ModelServiceService.listModels, { pageSize: 100, pageToken: '' });
  assert.deepEqual(models.map(({ name }) => name).toSorted(), [...reference.models].toSorted(), 'models');
  assert.deepEqual(
    models.filter(({ isDefault }) => isDefault).map(({ name }) => name),
    [reference.defaultModel],
    'the default model',
  );
  const { scenarios } = await client.listScenarios({ pageSize: 100 });
  assert.deepEqual(new Map(scenarios.map(({ name, model }) => [name, model])), reference.scenarios, 'scenarios');
}

async function verifyVersions({ versions, isRewritten, crowd }: Reference, client: Client): Promise<void> {
  const [{ model, hashes }, twin] = await Promise.all([client.getModel(REFITTED), client.getModel(TWIN)]);
  assert.deepEqual(model?.versions.map(({ version }) => version).reverse(), versions, 'versions');
  const serving = versions.at(-1);
  assert.equal(model?.version, serving, 'the version that serves');
  const known = crowd.at(-1);
  if (known !== undefined) {
    const { modelVersion } = await client.recommend(known, { model: REFITTED });
    assert.equal(modelVersion, serving, 'the version that answers');
  }
  if (serving === '1' && !isRewritten)
    assert.equal(hashes?.tables, twin.hashes?.tables, 'tables of the first version, and of a model that has no other');
}
