import assert from 'node:assert/strict';
import fc from 'fast-check';
import { LoadModelRequest, ModelServiceService } from '../../../proto/gen/accrete/v1/model.ts';
import type { Rating } from '../../laws/lab.ts';
import { rating } from '../../support/ratings.ts';
import { pluginPath } from '../../support/server.ts';
import { failureOf } from '../../support/status.ts';
import { forget } from './forgetting.ts';
import type { Reference } from './reference.ts';
import { refit, rollBack } from './refitting.ts';
import { MODELS, type System, stateOf } from './system.ts';
import { drawnValue, ITEMS, USERS } from './users.ts';

/**
 * What may be done to a server, in any order. An entry of `COMMANDS` draws what it is done with, does it to the reference
 * and to the server, and compares what the server answers; afterwards everything else is compared for it.
 */

const LOADED = ['first', 'second'];

interface Entry<Drawn> {
  /** How often it comes, relative to the others. */
  readonly weight: number;
  readonly drawn: fc.Arbitrary<Drawn>;
  readonly run: (drawn: Drawn, reference: Reference, system: System) => Promise<unknown>;
}

const entry = <Drawn>(it: Entry<Drawn>): Entry<unknown> => it as Entry<unknown>;

const user = fc.constantFrom(...USERS);
const item = fc.constantFrom(...ITEMS);
const labels = fc.subarray(['new', 'old', 'odd']);
const anyModel = fc.constantFrom(...MODELS, ...LOADED);
const scenario = fc.constantFrom('home', 'cart');

/** A rating is set, edited, or taken back; so are events of kinds, some of which are ratings too. */
const anyRating = fc.record({
  user,
  item,
  kind: fc.constantFrom('', '', '', 'click', 'buy'),
  value: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
  weight: fc.constantFrom(0, 1, 1, 2.5),
  retract: fc.nat(3).map((n) => n === 0),
});

export const COMMANDS: Readonly<Record<string, Entry<unknown>>> = {
  rate: entry({
    weight: 6,
    drawn: fc.array(anyRating, { minLength: 1, maxLength: 5 }),
    run: async (drawn, reference, { client }) => {
      const ratings: Rating[] = drawn.map((each) => ({
        ...each,
        value: each.retract ? undefined : drawnValue(each.user, each.kind, each.value),
        time: reference.tick(),
      }));
      reference.rate(ratings);
      const { acceptedCount } = await client.rate(
        ratings.map(({ user, item, value, time = 0, ...more }) =>
          rating(user, item, value, { ...more, eventTime: { seconds: BigInt(time), nanos: 0 } }),
        ),
      );
      assert.equal(acceptedCount, ratings.length);
    },
  }),
  upsertItem: entry({
    weight: 2,
    drawn: fc.record({ item, title: fc.constantFrom('', 'A', 'B'), labels, only: fc.boolean() }),
    run: async ({ item, title, labels, only }, reference, { client }) => {
      const isNew = !reference.listedItems.includes(item);
      reference.tellOfItem(item, { title, labels }, only);
      const { createdCount } = await client.upsertItems([{ itemId: item, title, labels }], {
        updateMask: only ? ['labels'] : undefined,
      });
      assert.equal(createdCount, Number(isNew));
    },
  }),
  upsertUser: entry({
    weight: 1,
    drawn: fc.record({ user, labels }),
    run: async ({ user, labels }, reference, { client }) => {
      reference.tellOfUser(user, labels);
      await client.upsertUsers([{ userId: user, labels }]);
    },
  }),
  deleteItems: entry({
    weight: 2,
    drawn: fc.uniqueArray(item, { minLength: 1, maxLength: 2 }),
    run: async (items, reference, { client }) => {
      const there = items.filter((each) => reference.listedItems.includes(each));
      for (const each of items) reference.deleteItem(each);
      assert.equal((await client.deleteItems(items)).deletedCount, there.length);
    },
  }),
  putScenario: entry({
    weight: 1,
    drawn: fc.record({ name: scenario, model: anyModel }),
    run: async ({ name, model }, reference, { client }) => {
      const call = client.putScenario({ name, model });
      if (!reference.models.has(model)) return requireRefusal(call, 'MODEL_NOT_FOUND');
      await call;
      reference.scenarios.set(name, model);
    },
  }),
  deleteScenario: entry({
    weight: 1,
    drawn: scenario,
    run: async (name, reference, { client }) => {
      reference.scenarios.delete(name);
      await client.deleteScenario(name); // one that is not there is gone already
    },
  }),
  loadModel: entry({
    weight: 1,
    drawn: fc.record({ name: fc.constantFrom(...LOADED) }),
    run: async ({ name }, reference, { client }) => {
      const plugin = name === 'first' ? 'popularity' : pluginPath('mean');
      await client.call(ModelServiceService.loadModel, LoadModelRequest.fromPartial({ name, plugin }));
      reference.models.add(name);
      reference.isUnsaved = true;
      if (reference.isRewritten) return;
      // It is as if it had been there from the start.
      const [loaded, old] = await Promise.all([
        client.getModel(name),
        client.getModel(MODELS[name === 'first' ? 1 : 0]),
      ]);
      if (reference.models.has(MODELS[name === 'first' ? 1 : 0]))
        assert.equal(loaded.hashes?.tables, old.hashes?.tables, 'tables of a model that learned the journal later');
    },
  }),
  unloadModel: entry({
    weight: 1,
    drawn: fc.constantFrom(...LOADED, 'nobody', MODELS[1]),
    run: async (name, reference, { client }) => {
      const use = reference.findUse(name);
      if (use) return requireRefusal(client.unloadModel(name), use);
      if (MODELS.includes(name)) return; // others are compared with it
      await client.unloadModel(name);
      reference.models.delete(name);
    },
  }),
  setDefaultModel: entry({
    weight: 1,
    drawn: anyModel,
    run: async (name, reference, { client }) => {
      const call = client.setDefaultModel(name);
      if (!reference.models.has(name)) return requireRefusal(call, 'MODEL_NOT_FOUND');
      assert.equal((await call).previousName, reference.defaultModel);
      reference.defaultModel = name;
    },
  }),
  checkpoint: entry({
    weight: 1,
    drawn: fc.constant(0),
    run: async (_, reference, { client }) => {
      await client.createCheckpoint();
      reference.isUnsaved = false;
    },
  }),
  restart: entry({
    weight: 1,
    drawn: fc.constant(0),
    run: (_, reference, system) => {
      reference.isUnsaved = false; // a stop makes a checkpoint
      return sameBytes(system, () => system.restart());
    },
  }),
  crash: entry({
    weight: 1,
    drawn: fc.constant(0),
    run: async (_, reference, system) => {
      // What is learned anew from a journal that was rewritten is not promised to have the same bytes: but always its own.
      if (reference.isRewritten && reference.isUnsaved) await system.crash();
      return sameBytes(system, () => system.crash());
    },
  }),
  refit: entry({ weight: 2, drawn: fc.constant(0), run: (_, reference, system) => refit(reference, system) }),
  rollBack: entry({ weight: 2, drawn: fc.nat(4), run: rollBack }),
  forget: entry({
    weight: 1,
    drawn: fc.constantFrom(...USERS, 'nobody-of-the-sequences', 'one of a crowd'),
    run: (drawn, reference, system) => {
      const user = drawn === 'one of a crowd' ? (reference.crowd.pop() ?? drawn) : drawn;
      return forget(user, reference, system);
    },
  }),
};

async function requireRefusal(call: Promise<unknown>, reason: string): Promise<void> {
  assert.equal((await failureOf(call)).reason, reason);
}

async function sameBytes(system: System, step: () => Promise<void>): Promise<void> {
  const before = await stateOf(system);
  await step();
  assert.deepEqual(await stateOf(system), before, 'every byte after a start');
}
