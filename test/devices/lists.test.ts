import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Device } from '../../plugins/contract/index.ts';
import { AccreteError } from '../../server/errors.ts';
import { Reader } from '../../server/memory/readers.ts';
import { Revisions } from '../../server/memory/revisions.ts';
import { Scale } from '../../server/memory/scale.ts';
import { resolveModels } from '../../server/models/plugins.ts';
import { FilterMasks } from '../../server/serving/filter/masks.ts';
import type { ModelDirectory } from '../../server/serving/model-directory.ts';
import { Recommender, type RecommendQuery } from '../../server/serving/recommender.ts';
import { Shortlists } from '../../server/serving/shortlists.ts';
import { DeviceMeter } from '../../server/tensor/device-meter.ts';
import { LocalDevice } from '../../server/tensor/local-device.ts';
import { DeviceFailure } from '../../server/tensor/operations.ts';
import { CountingDevice } from '../laws/counting-device.ts';
import { Lab } from '../laws/lab.ts';
import { randomNumbers } from '../support/ratings.ts';

/** Lists for many users at once, by products on a device: they are those that the model makes by itself. */

const USERS = 60;
/** More than are scored at a time. */
const ITEMS = 5000;
const TIME = 1_000_000_000;
const random = randomNumbers(4);

const [{ plugin, spec }] = await resolveModels([
  { name: 'mf', plugin: 'mf', config: { base: 'biases', ranking: 'taste', k: 32 } },
]);
const lab = new Lab(plugin, spec.config);
for (let n = 0; n < ITEMS; n++) lab.teach({ user: 'all', item: `item-${n}`, value: 1 + (n % 5) });
for (let n = 0; n < 3000; n++) {
  // The best are among the first and the last.
  const place = Math.floor((ITEMS / 2) * random() ** 2);
  const item = `item-${n % 2 === 0 ? place : ITEMS - 1 - place}`;
  lab.teach({ user: `user-${n % USERS}`, item, value: 1 + Math.floor(5 * random()) });
}
const { arena, kernels, world, model } = lab;
const reader = new Reader(arena, 0);
const revisions = new Revisions(arena);
revisions.learned = 7;
const directory = {
  models: [model],
  substitutes: [model],
  findDefault: () => model,
  require: () => model,
} as unknown as ModelDirectory;
const masks = new FilterMasks(arena, kernels, world.itemFeatures);
const parts = { arena, kernels, reader, revisions, world, scale: new Scale(1, 5), directory, masks, countMax: 100 };
const recommender = new Recommender(parts);
const userIds = ['nobody', 'all', ...Array.from({ length: USERS }, (_, n) => `user-${n}`)];

type Options = Parameters<Shortlists['find']>[1];

const PLAIN: Options = {
  model: '',
  count: 10,
  candidateIds: [],
  excludeIds: [],
  includeSeen: false,
  filter: undefined,
  diversity: 0,
  explain: false,
};

const find = (device: Device, options: Options) =>
  new Shortlists({ reader, revisions, world, directory, device }).find(userIds, options);

function listFor(userId: string, options: Options, shortlist?: RecommendQuery['shortlist']) {
  const query = {
    ...options,
    subject: { type: 'user', userId },
    time: TIME,
    shown: [],
    recommendationId: () => 'one',
  } as const;
  const { items, shown, hasMore } = recommender.recommend({ ...query, shortlist });
  return { items, shown, hasMore };
}

for (const [name, more] of Object.entries<Partial<Options>>({
  plain: {},
  'with what was seen': { includeSeen: true },
  explained: { explain: true, count: 3 },
  diverse: { diversity: 0.5 },
  'without some': { excludeIds: ['item-1', 'item-2', 'item-3'] },
  'that a filter leaves nothing of': { filter: { type: 'has', field: 'labels' } },
})) {
  test(`lists ${name}`, async () => {
    const options = { ...PLAIN, ...more };
    const lists = await find(new CountingDevice(), options);
    // Nobody is unknown, and one has seen everything.
    assert.equal(lists.size, options.includeSeen ? USERS + 1 : USERS);
    for (const userId of userIds)
      assert.deepEqual(listFor(userId, options, lists.get(userId)), listFor(userId, options));
  });
}

test('a shortlist is what is taken, as of when it was made', async () => {
  const shortlist = (await find(new CountingDevice(), PLAIN)).get('user-1') ?? assert.fail();
  assert.equal(shortlist.revision, 7);
  assert.ok(shortlist.rows.length >= 11 && shortlist.rows.length < 200, `${shortlist.rows.length}`);
  const least = listFor('user-1', PLAIN).items.at(-1)?.itemId ?? '';
  const rows = shortlist.rows.filter((row) => row !== lab.itemRow(least));
  const query = {
    ...PLAIN,
    subject: { type: 'user', userId: 'user-1' },
    time: TIME,
    shown: [],
    recommendationId: () => 'one',
  } as const;
  const found = recommender.recommend({ ...query, shortlist: { ...shortlist, rows, revision: 3 } });
  assert.equal(found.revision, 3);
  assert.ok(!found.items.some(({ itemId }) => itemId === least));
  // Too few.
  const few = { ...shortlist, rows: shortlist.rows.slice(0, 10) };
  assert.deepEqual(listFor('user-1', PLAIN, few), listFor('user-1', PLAIN));
  const other = { ...shortlist, rows, model: { ...model } as unknown as typeof model };
  assert.deepEqual(listFor('user-1', PLAIN, other), listFor('user-1', PLAIN));
});

test('nobody gets one where it does not pay, has no room or fails', async () => {
  const never = new LocalDevice(2 ** 30, new DeviceMeter());
  const failing = (why: Error): Device => ({ name: 'webgpu', crossover: 0, run: () => Promise.reject(why) });
  const full = new AccreteError('DEVICE_FULL', 'planted');
  for (const device of [never, failing(new DeviceFailure('planted')), failing(full)])
    assert.equal((await find(device, PLAIN)).size, 0);
  await assert.rejects(find(failing(new TypeError('a mistake')), PLAIN), TypeError);
  assert.equal((await find(new CountingDevice(), { ...PLAIN, candidateIds: ['item-1'] })).size, 0);
  assert.equal((await find(new CountingDevice(), { ...PLAIN, count: 2000 })).size, 0);
});
