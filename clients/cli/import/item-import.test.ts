import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import {
  CatalogServiceService,
  type UpsertItemsRequest,
  UpsertItemsResponse,
} from '../../../proto/gen/accrete/v1/catalog.ts';
import { makeFolder, run } from '../testing/accrete.ts';
import { FakeServer, invalidField } from '../testing/fake-server.ts';

/** A catalogue that refuses titles of more than 5 characters. */
const known = new Set<string>();
let requests: UpsertItemsRequest[] = [];
const server = new FakeServer().add(CatalogServiceService, {
  upsertItems: (
    { request }: ServerUnaryCall<UpsertItemsRequest, UpsertItemsResponse>,
    done: sendUnaryData<UpsertItemsResponse>,
  ) => {
    requests.push(request);
    const faults = request.items.flatMap(({ title }, n) =>
      title.length > 5 ? [{ field: `items[${n}].title`, description: 'is too long' }] : [],
    );
    if (faults.length > 0) return done(invalidField(faults));
    const createdCount = request.items.filter(({ itemId }) => !known.has(itemId)).length;
    for (const { itemId } of request.items) known.add(itemId);
    const updatedCount = request.items.length - createdCount;
    done(null, UpsertItemsResponse.fromPartial({ revision: String(requests.length), createdCount, updatedCount }));
  },
});
const { folder, remove } = await makeFolder();
let address: string;

before(async () => {
  address = await server.start();
});
after(async () => {
  server.stop();
  await remove();
});

async function importItems(text: string, ...args: string[]) {
  const path = join(folder, 'items.csv');
  await writeFile(path, text);
  requests = [];
  return run(['import', '--items', path, ...args], address);
}

test('items are sent in batches, an id never twice in one', async () => {
  const { code, stdout } = await importItems('id,title\na,A\nb,B\nc,C\nc,D\na,E\n', '--batch', '2', '--json');
  const { seconds, ...summary } = JSON.parse(stdout).summary;
  assert.deepEqual([code, summary], [0, { created: 3, updated: 2, skipped: 0, skippedLines: [], revision: '3' }]);
  assert.ok(seconds > 0);
  assert.deepEqual(
    requests.map(({ items }) => items.map(({ itemId, title }) => itemId + title).join(' ')),
    ['aA bB', 'cC', 'cD aE'],
  );
  assert.equal(requests[0].updateMask, undefined);
});

test('bad lines stop it, or are left out and named, those of the server too', async () => {
  const text = 'id,title\na,A\nb,too long\n,C\nd,D\n';
  const stopped = await importItems(text);
  assert.match(
    stopped.stderr,
    /^accrete: BAD_LINE: \S+ line 4 is no item: the id is empty; correct the file, or leave/,
  );
  assert.equal(stopped.code, 1);
  const refused = await importItems('id,title\na,A\nb,too long\n');
  assert.match(refused.stderr, /INVALID_FIELD: the server refused items of .*\n {2}line 3 title is too long\n$/);
  const skipped = await importItems(text, '--on-error', 'skip');
  assert.equal(skipped.code, 3);
  assert.match(skipped.stdout, /^\d items added and \d replaced in /);
  assert.equal(
    skipped.stderr,
    '2 lines were left out:\n  line 4 is no item: the id is empty\n  line 3 title is too long\n',
  );
  assert.deepEqual(
    requests.at(-1)?.items.map(({ itemId }) => itemId),
    ['a', 'd'],
  );
});

test('--update names the fields to replace, and options of ratings are refused', async () => {
  await importItems('id,labels\na,x\n', '--update', 'labels,available');
  assert.deepEqual(requests[0].updateMask, ['labels', 'available']);
  const wrong = await importItems('id\na\n', '--sort', 'time');
  assert.match(wrong.stderr, /--sort is for ratings/);
  assert.equal(wrong.code, 2);
});
