import assert from 'node:assert/strict';
import { cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { type GetModelResponse, ModelServiceService, ModelState } from '../../../proto/gen/accrete/v1/model.ts';
import type { Rating } from '../../../proto/gen/accrete/v1/rating.ts';
import { ExportRatingsRequest, UserServiceService } from '../../../proto/gen/accrete/v1/user.ts';
import type { ConfigInput } from '../../../server/config/schema.ts';
import type { Client } from '../../support/client.ts';
import { TestServer } from '../../support/server.ts';
import type { Scope } from '../../support/temporary-folder.ts';
import type { Ledger, Sent } from './ledger.ts';
import { Reference } from './reference.ts';
import { requestOf } from './traffic.ts';

/** What must hold when a server is there again: nothing lost, nothing doubled, every byte as a clean replay makes it. */

/** Sends requests again, in their order; what is answered agrees with what was answered before. How many were there. */
export async function sendAgain(client: Client, ledger: Ledger, requests: readonly Sent[]): Promise<number> {
  const stream = client.rateStream();
  let there = 0;
  const answers = stream.take(requests.length);
  for (const sent of requests) await stream.sendInTurn(requestOf(sent));
  for (const [n, answer] of (await answers).entries()) {
    assert(!answer.error, `${requests[n].requestId} was refused: ${answer.error?.message}`);
    ledger.acknowledge(requests[n], answer);
    there += Number(answer.duplicate);
  }
  await stream.finish();
  return there;
}

/**
 * That an export from a revision on is what was acknowledged, in that order and once each, and that the lists of all users
 * are what it comes to. `reference` is what came before that revision; it takes what came since.
 */
export async function verifyRatings(client: Client, ledger: Ledger, reference: Reference, from: string): Promise<void> {
  const expected = ledger.acknowledged(from);
  const found = await exportOf(client, from);
  assert.deepEqual(
    [...found.keys()],
    expected.map(({ revision }) => revision),
    'the revisions that hold ratings',
  );
  for (const { revision = '', ratings } of expected) {
    const { receivedAt, ratings: there } = found.get(revision) as Exported;
    const told = ratings.map((one) => ({ ...one, eventTime: one.eventTime ?? receivedAt }));
    assert.deepEqual(there, told, `the ratings of revision ${revision}`);
    for (const rating of there) reference.take(rating);
  }
  for (const userId of reference.userIds) {
    assert.deepEqual(await client.allRatings(userId), reference.listing(userId), `the ratings of ${userId}`);
  }
}

interface Exported {
  readonly receivedAt: Rating['eventTime'];
  readonly ratings: Rating[];
}

/** By revision; a batch that came in parts is one again. */
async function exportOf(client: Client, firstRevision: string): Promise<Map<string, Exported>> {
  const found = new Map<string, Exported>();
  const request = ExportRatingsRequest.fromPartial({ firstRevision });
  for (const { event } of await client.collect(UserServiceService.exportRatings, request)) {
    if (event?.$case !== 'batch') continue;
    const { revision, receivedAt, ratings } = event.value;
    const known = found.get(revision);
    if (known) known.ratings.push(...ratings);
    else found.set(revision, { receivedAt, ratings });
  }
  return found;
}

/** What a clean replay needs: without the checkpoints. */
const PARTS = ['journal', 'format.json', join('state', 'versions')];

/**
 * That every hash of every model is what a fresh server makes of a copy of the journal, and of the versions that were
 * promoted. `overlays`: folders with files that take the place of those of the store.
 */
export async function verifyState(
  scope: Scope,
  client: Client,
  data: string,
  config: ConfigInput,
  overlays: readonly string[] = [],
): Promise<void> {
  const state = await stateOf(client);
  const clean = await TestServer.start(scope, config, (copy) => {
    for (const [folder, part] of [data, ...overlays].flatMap((each) => PARTS.map((part) => [each, part]))) {
      if (!existsSync(join(folder, part))) continue;
      const filter = (path: string) => !path.endsWith('-lock');
      cpSync(join(folder, part), join(copy, part), { recursive: true, filter });
    }
  });
  assert.deepEqual(await stateOf(clean.client), state, 'the state differs from that of a clean replay');
  await clean.stop();
}

/** Sends again what was left open, and compares all that was ever acknowledged. How many of the open ones were there. */
export async function settle(client: Client, ledger: Ledger): Promise<number> {
  const there = await sendAgain(client, ledger, ledger.unknown);
  await verifyRatings(client, ledger, new Reference(), '');
  return there;
}

export async function stateOf(client: Client): Promise<GetModelResponse[]> {
  const names = await availableModels(client);
  return Promise.all(names.map((name) => client.getModel(name)));
}

export async function availableModels(client: Client): Promise<string[]> {
  const { models } = await client.call(ModelServiceService.listModels, { pageSize: 0, pageToken: '' });
  return models.filter(({ state }) => state === ModelState.MODEL_STATE_AVAILABLE).map(({ name }) => name);
}
