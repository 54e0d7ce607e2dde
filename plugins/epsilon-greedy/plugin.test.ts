import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lab } from '../../test/laws/lab.ts';
import { firstRatings } from '../../test/laws/streams.ts';
import { NO_ROW, type Plugin } from '../contract/index.ts';
import plugin from './plugin.ts';

const lab = new Lab(plugin as unknown as Plugin, plugin.config.parse({ epsilon: 0.25 })).teachAll(
  firstRatings(1, { users: 9, items: 12, events: 80 }),
);
const [input] = lab.inputs;

test('it ranks as its input does', () => {
  const all = [0, lab.model.items];
  for (const user of [0, 4, NO_ROW]) {
    const own = lab.score(user, all);
    const out = lab.arena.allocate(4 * lab.model.items);
    input.scorer.score({ user, time: 1_000_000_000 }, Uint32Array.from(all), 1, out as never);
    assert.deepEqual(own, lab.arena.f32.slice(out >>> 2, (out >>> 2) + lab.model.items));
  }
});

test('it says how its lists are drawn', () => {
  assert.deepEqual(lab.model.scorer.explores, { by: 'epsilon', epsilon: 0.25 });
});
