import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Plugin } from '../../plugins/contract/index.ts';
import mf from '../../plugins/mf/plugin.ts';
import popularity from '../../plugins/popularity/plugin.ts';
import { Arena } from '../../server/memory/arena.ts';
import { messageOf, numbersOf, termsOf } from '../../server/memory/features/feature-blocks.ts';
import type { FeatureValues } from '../../server/memory/features/feature-values.ts';
import { TextKey } from '../../server/memory/ids.ts';
import { loadHostKernels } from '../../server/memory/kernels/host-kernels.ts';
import { Scale } from '../../server/memory/scale.ts';
import { Table, type TableDescriptor } from '../../server/memory/table.ts';
import { WritableWorld } from '../../server/memory/world.ts';
import { Peers } from '../../server/models/peers.ts';
import { WritableModel } from '../../server/models/writable-model.ts';
import { Teacher } from '../../server/teaching/teacher.ts';
import mean from '../support/plugins/mean.ts';
import { randomNumbers } from '../support/ratings.ts';

/** The hashes of the state cover every byte: one that is changed anywhere shows in the hash of its part, and only there. */

const DIGEST = Buffer.from('0123456789abcdef');
const plugins = [mean, mf, popularity].map((plugin) => plugin as unknown as Plugin);
const arena = Arena.create(64 * 2 ** 20);
const kernels = loadHostKernels(arena.memory);
const world = WritableWorld.create(arena, 1);
const host = { arena, world, scale: new Scale(1, 5), peers: new Peers() };
const models = plugins.map((plugin) =>
  WritableModel.create(
    host,
    plugin,
    { namespace: '', name: plugin.name, plugin: plugin.name, config: plugin.config.parse({}) },
    100,
  ),
);
learn();

/** Every hash of the state by its name. */
function hashes(): Record<string, string> {
  const tables = models.flatMap((model) =>
    Object.entries(model.hashes(kernels).tables).map(([table, hash]) => [`${model.name}.${table}`, hash] as const),
  );
  return { ...Object.fromEntries(tables), ...world.hashes(kernels) };
}

interface Place {
  readonly part: string;
  readonly what: string;
  readonly address: number;
}

const places = [modelPlaces, idPlaces, interactionPlaces, requestIdPlaces, featurePlaces].flatMap((find) => find());
for (const { part, what, address } of places) {
  test(`a bit of ${what} changes the hash of ${part}, and no other`, () => {
    const before = hashes();
    arena.u8[address] ^= 1;
    const changed = hashes();
    arena.u8[address] ^= 1;
    assert.deepEqual(
      Object.keys(before).filter((name) => before[name] !== changed[name]),
      [part],
    );
    assert.deepEqual(hashes(), before);
  });
}

test('the hash of a model is another one when one of its tables is', () => {
  for (const model of models) {
    const before = model.hashes(kernels).all;
    const [table, { columns, address }] = Object.entries(model.descriptor.tables)[0];
    const [column] = Object.keys(columns);
    const byte = new Table(arena, { columns, address }).column(column)(0);
    arena.u8[byte] ^= 1;
    assert.notEqual(model.hashes(kernels).all, before, `${model.name}.${table}`);
    arena.u8[byte] ^= 1;
    assert.equal(model.hashes(kernels).all, before);
  }
});

function learn(): void {
  const teacher = new Teacher(host, kernels, models, {
    rankEvery: 2,
    onQuarantine: (_model, why) => {
      throw why;
    },
  });
  const random = randomNumbers(3);
  const [user, item, kind] = [new TextKey(), new TextKey(), new TextKey()];
  for (let revision = 1; revision <= 300; revision++) {
    user.set(`user-${Math.floor(random() * 20)}`);
    item.set(`item-${Math.floor(random() * 30)}`);
    kind.set(['', 'click', 'buy'][revision % 3]);
    const retract = random() < 0.1;
    const value = 1 + 4 * random();
    teacher.teach({ user, item, kind, retract, value, weight: 1, seconds: 1e9, nanos: 7, revision });
    const request = {
      id: Buffer.from(`id-${revision}`),
      namespace: 0,
      digest: DIGEST,
      revision,
      accepted: 1,
      receivedAtMs: 1e12,
    };
    world.requestIds.add(request, world.reclaimer);
  }
  for (const features of [world.itemFeatures, world.userFeatures]) {
    for (let row = 0; row < 20; row += 2) features.write(row, featuresOf(row), world.reclaimer);
    features.remove(19, world.reclaimer);
  }
}

function featuresOf(row: number): FeatureValues {
  return {
    message: Buffer.from(`message ${row}`),
    categories: ['drama'],
    labels: [`label ${row}`],
    attributes: new Map([['year', 1990 + row]]),
    embeddings: new Map([['text', 3]]),
    available: true,
    fromSeconds: row,
    untilSeconds: 100,
  };
}

function modelPlaces(): Place[] {
  return models.flatMap((model) => {
    const { totals, errors, ranks } = model.prequential.descriptor;
    const prequential = { totals, errors, ranks };
    return [
      ...Object.entries(model.descriptor.tables).flatMap(([name, table]) =>
        placesOf(`${model.name}.${name}`, name, table),
      ),
      ...Object.entries(prequential)
        .filter(([, table]) => new Table(arena, table as TableDescriptor).rows > 0)
        .flatMap(([name, table]) => placesOf(`${model.name}.prequential`, name, table as TableDescriptor)),
    ];
  });
}

/** In every column, a byte of the first row and one of the last. */
function placesOf(part: string, name: string, descriptor: TableDescriptor): Place[] {
  const table = new Table(arena, descriptor);
  const last = table.rows - 1;
  return Object.keys(descriptor.columns).flatMap((column) => [
    { part, what: `${name}.${column} of the first row`, address: table.column(column)(0) },
    { part, what: `${name}.${column} of the last row`, address: table.column(column)(last) },
  ]);
}

function idPlaces(): Place[] {
  const { users, items, namespaces } = world.descriptor;
  const identities = Object.entries({ users, items, namespaces }) as [string, typeof users][];
  return [
    { part: 'ids', what: 'the text of a user', address: world.users.place(7).address },
    { part: 'ids', what: 'the text of the last item', address: world.items.place(world.items.rows - 1).address },
    ...identities.flatMap(([name, { identity }]) => placesOf('ids', name, identity as TableDescriptor)),
  ];
}

function interactionPlaces(): Place[] {
  const { kinds } = world.descriptor.events;
  const part = 'interactions';
  return [
    ...placesOf(part, 'kinds', kinds.identity as TableDescriptor),
    ...(['interactions', 'events'] as const).flatMap((name) => {
      const { rows, state, counter } = world.descriptor[name];
      const { byUser, byItem } = world[name];
      return [
        ...placesOf(part, name, rows),
        ...placesOf(part, `the state of ${name}`, state as TableDescriptor),
        ...placesOf(part, `the counter of ${name}`, counter as TableDescriptor),
        { part, what: `an item in the list of a user's ${name}`, address: 4 * byUser.pairs(3) },
        { part, what: `a row in the list of an item's ${name}`, address: 4 * byItem.pairs(5) + 4 },
      ];
    }),
  ];
}

function featurePlaces(): Place[] {
  const { u32: words } = arena;
  return Object.entries({ items: world.itemFeatures, users: world.userFeatures }).flatMap(([name, features]) => {
    const part = 'features';
    const { availability, terms, embeddingLengths } = features.descriptor;
    const block = features.block(6);
    const tables = [availability.rows, terms.identity, embeddingLengths.names.identity, embeddingLengths.lengths];
    return [
      ...tables.flatMap((table) => placesOf(part, `the features of ${name}`, table as TableDescriptor)),
      { part, what: `a number of the ${name}`, address: 4 * numbersOf(block) },
      { part, what: `the field of a number of the ${name}`, address: 4 * (numbersOf(block) + 2) },
      { part, what: `a term of the ${name}`, address: 4 * termsOf(words, block) },
      { part, what: `a message of the ${name}`, address: messageOf(words, block) },
    ];
  });
}

/** Nobody else needs to know where they lie: they are found by what they hold. */
function requestIdPlaces(): Place[] {
  const bytes = Buffer.from(arena.memory.buffer);
  const find = (text: string | Buffer) => {
    const address = bytes.indexOf(text);
    assert(address > 0, `${text} is nowhere in the memory`);
    return address;
  };
  return [
    { part: 'requestIds', what: 'a request id', address: find('id-123') },
    { part: 'requestIds', what: 'a digest', address: find(DIGEST) },
  ];
}
