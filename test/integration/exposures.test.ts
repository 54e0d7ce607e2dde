import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LoadModelRequest, ModelServiceService } from '../../proto/gen/accrete/v1/model.ts';
import type { Rating } from '../../proto/gen/accrete/v1/rating.ts';
import { randomNumbers, rating } from '../support/ratings.ts';
import { TestServer } from '../support/server.ts';
import { failureOf } from '../support/status.ts';

/* What users were shown, through a real server: a model says how likely a click is. */

const CONFIG = {
  kinds: { view: { exposure: true }, click: {} },
  models: [
    { name: 'clicks', plugin: 'mf', config: { objective: 'logistic', k: 4 } },
    { name: 'popularity', plugin: 'popularity', config: { halfLifeDays: null } },
  ],
};

const event = (user: string, item: string, kind: string, more: Partial<Rating> = {}) =>
  rating(user, item, undefined, { kind, ...more });

test('scores are the shares of exposures that are clicked, also after a restart', async (t) => {
  const server = await TestServer.start(t, CONFIG);
  const draw = randomNumbers(2);
  const shares: Readonly<Record<string, number>> = { often: 0.8, now: 0.4, rare: 0.1 };
  const events = Array.from({ length: 3000 }, () => {
    const user = `user-${Math.floor(50 * draw())}`;
    const item = Object.keys(shares)[Math.floor(3 * draw())];
    return [event(user, item, 'view'), ...(draw() < shares[item] ? [event(user, item, 'click')] : [])];
  });
  for (let start = 0; start < events.length; start += 300)
    await server.client.rate(events.slice(start, start + 300).flat());

  const asked = async () => {
    const { items } = await server.client.recommend('user-1', { model: 'clicks' });
    return Object.fromEntries(items.map(({ itemId, score }) => [itemId, score]));
  };
  const before = await asked();
  for (const [item, share] of Object.entries(shares))
    assert.ok(Math.abs(before[item] - share) < 0.15, `${item}: ${before[item]} of ${share}`);

  const hashes = () =>
    Promise.all(['clicks', 'popularity'].map(async (name) => (await server.client.getModel(name)).hashes));
  const learned = await hashes();
  await server.restart();
  assert.deepEqual(await hashes(), learned);
  assert.deepEqual(await asked(), before);
  // What was an exposure when it was learned stays one, and goes as one.
  await server.restart({ kinds: { view: {}, click: {} } });
  assert.deepEqual(await hashes(), learned);
  await server.client.rate([event('user-1', 'rare', 'view', { retract: true })]);
  assert.ok((await asked()).rare > before.rare);
});

test('a model that learns one kind is refused where there is no such kind, or where it is only shown', async (t) => {
  const of = (kind: string, objective = 'bpr') => ({
    name: kind,
    plugin: 'mf',
    config: { objective, k: 4, feedback: { kind } },
  });
  const cases: [string, RegExp][] = [
    ['clik', /learns from events of the kind "clik" alone, which is not configured: did you mean click\?/],
    ['view', /learns from events of the kind "view" alone, which `kinds` has as an exposure/],
  ];
  const server = await TestServer.start(t, CONFIG);
  for (const [kind, says] of cases) {
    const refused = await failureOf(
      server.client.call(ModelServiceService.loadModel, LoadModelRequest.fromPartial(of(kind))),
    );
    assert.deepEqual([refused.code, refused.reason], ['INVALID_ARGUMENT', 'CONFIG_INVALID']);
    assert.match(refused.message, says);
    const models = [...CONFIG.models, of(kind, 'ials')];
    await assert.rejects(TestServer.start(t, { ...CONFIG, models }), says);
  }
  const { model } = await server.client.call(ModelServiceService.loadModel, LoadModelRequest.fromPartial(of('click')));
  assert.equal(model?.state, 3);
  // Kinds that the journal decided hold, also where a later start leaves them out.
  await server.restart({ kinds: undefined, models: [...CONFIG.models, of('click')] });
  await assert.rejects(server.restart({ kinds: { view: {} } }), /kind "click" alone, which is not configured/);
});
