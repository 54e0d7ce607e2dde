import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Scale } from '../../../server/memory/scale.ts';
import { Table } from '../../../server/memory/table.ts';
import { Lab, type Rating } from '../../../test/laws/lab.ts';
import type { Plugin } from '../../contract/index.ts';
import plugin from '../plugin.ts';
import { AGAINST, FOR, NOTHING, Trials } from './trials.ts';

/* What speaks for an item and against it. */

const START = 1_000_000_000;

const configOf = (objective: string, feedback: object = {}) => plugin.config.parse({ objective, k: 2, feedback });

function trialsOf(lab: Lab, config: ReturnType<typeof configOf>): Trials {
  const scale = new Scale(1, 5);
  return new Trials({
    config,
    history: lab.world.interactions.history(scale),
    events: lab.world.events.history(scale),
  });
}

function make(objective: string, feedback: object = {}) {
  const config = configOf(objective, feedback);
  const lab = new Lab(plugin as unknown as Plugin, config);
  return { lab, trials: trialsOf(lab, config) };
}

describe('the side of', () => {
  test('a rating: for, from the threshold on; below it against, for probabilities alone', () => {
    const sides = (objective: string, feedback: object) => {
      const { trials } = make(objective, feedback);
      return [1, 3, 4, 5].map((value) => trials.ofRating({ value, weight: 1 }));
    };
    assert.deepEqual(sides('bpr', {}), [FOR, FOR, FOR, FOR]);
    assert.deepEqual(sides('warp', { threshold: 4 }), [NOTHING, NOTHING, FOR, FOR]);
    assert.deepEqual(sides('logistic', { threshold: 4 }), [AGAINST, AGAINST, FOR, FOR]);
    assert.deepEqual(sides('logistic', { kind: 'click' }), [NOTHING, NOTHING, NOTHING, NOTHING]);
    assert.equal(make('bpr').trials.ofRating({ value: 5, weight: 0 }), NOTHING);
  });

  test('an event: for, unless it is of another kind, the rating that it set, or an exposure', () => {
    const all = make('logistic').trials;
    const clicks = make('logistic', { kind: 'click' }).trials;
    assert.equal(all.ofEvent('buy', undefined, 1, false), FOR);
    assert.equal(all.ofEvent('buy', 4, 1, false), NOTHING);
    assert.equal(all.ofEvent('buy', undefined, 0, false), NOTHING);
    assert.equal(clicks.ofEvent('buy', undefined, 1, false), NOTHING);
    assert.equal(clicks.ofEvent('click', 4, 1, false), FOR);
    for (const trials of [all, clicks]) assert.equal(trials.ofEvent('view', undefined, 1, true), AGAINST);
    assert.equal(make('warp').trials.ofEvent('view', undefined, 1, true), NOTHING);
  });
});

const view = { user: 'u', item: 'a', kind: 'view' };
const click = { user: 'u', item: 'a', kind: 'click' };
const rating = { user: 'u', item: 'a', value: 4 };

describe('an event answers', () => {
  const answered = (events: readonly Rating[], feedback: object = {}) => {
    const { lab, trials } = make('logistic', feedback);
    lab.teachAll([{ ...rating, user: 'other' }, click, { ...click, retract: true }, ...events]);
    return trials.answered(lab.userRow('u'), lab.itemRow('a'));
  };

  test('the latest exposure that none has answered, if there is one', () => {
    assert.equal(answered([]), 0);
    assert.equal(answered([{ ...view, weight: 2 }]), 2);
    assert.equal(answered([{ ...view, weight: 2 }, click]), 0);
    assert.equal(answered([{ ...view, weight: 2 }, { ...view, weight: 3 }, click]), 2);
    assert.equal(answered([click, view]), 1);
    assert.equal(
      answered([
        { ...view, item: 'b' },
        { ...view, user: 'other' },
      ]),
      0,
    );
  });

  test('likewise where a rating did', () => {
    assert.equal(answered([view, rating]), 0);
    assert.equal(answered([rating, view]), 1);
    assert.equal(answered([view, rating, click, view]), 1);
    assert.equal(answered([view, rating], { threshold: 5 }), 1);
  });

  test('none beyond the window', () => {
    const later = [1, 2, 3].map((n) => ({ ...click, item: `other ${n}` }));
    assert.equal(answered([view, ...later], { window: 4 }), 1);
    assert.equal(answered([view, ...later], { window: 3 }), 0);
  });
});

test('exposures that weigh nothing are none: items are drawn as ever', () => {
  const { lab } = make('logistic');
  const ratings = Array.from({ length: 30 }, (_, n) => ({
    user: `user ${n % 5}`,
    item: `item ${(n * 7) % 11}`,
    value: 3,
  }));
  lab.teachAll([{ ...view, weight: 0 }, ...ratings]);
  assert.ok(lab.score(lab.userRow('user 1'), [0, lab.model.items]).every((p) => p < 0.9));
});

test('what was learned one by one is what all of it says together', () => {
  const anyEvent = fc.record({
    kind: fc.constantFrom('', 'view', 'view', 'click'),
    item: fc.constantFrom('a', 'b'),
    value: fc.constantFrom(2, 5),
  });
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 30 }), (events) => {
      const { lab, trials } = make('logistic', { threshold: 3 });
      const open = { a: 0, b: 0 };
      const rated = new Set<string>();
      for (const { kind, item, value } of events) {
        if (kind === '' && rated.has(item)) continue;
        const rating = { user: 'u', item, time: START };
        const isFor = kind === 'click' || (kind === '' && value === 5);
        const known = lab.userRow('u') < lab.world.users.rows && lab.itemRow(item) < lab.world.items.rows;
        if (isFor && known && trials.answered(lab.userRow('u'), lab.itemRow(item)) > 0) open[item]--;
        if (kind === 'view') open[item]++;
        if (kind === '') rated.add(item);
        lab.teach(kind === '' ? { ...rating, value } : { ...rating, kind });
      }
      const all = lab.userRow('u') < lab.world.users.rows ? trials.ofUser(lab.userRow('u'), 1000) : [];
      for (const item of ['a', 'b'] as const) {
        const low = events.find(({ kind, item: other }) => kind === '' && other === item)?.value === 2 ? 1 : 0;
        const against = all.filter(({ side, item: row }) => side === AGAINST && row === lab.itemRow(item));
        assert.equal(against.length, open[item] + low);
      }
    }),
  );
});

test('items that are drawn do not depend on which items have rows', () => {
  const ratings = Array.from({ length: 60 }, (_, n) => ({
    user: `user ${n % 9}`,
    item: `item ${(n * 7) % 23}`,
    value: 3,
  }));
  const others = Array.from({ length: 40 }, (_, n) => ({ user: `other ${n}`, item: `item ${40 - n}`, value: 3 }));
  const taken = others.map((other) => ({ ...other, retract: true }));
  for (const objective of ['logistic', 'bpr', 'warp']) {
    const config = configOf(objective, { popular: 0 });
    const vectors = [[], [...others, ...taken]].map((before) => {
      const lab = new Lab(plugin as unknown as Plugin, config, { before }).teachAll(ratings);
      const table = new Table(lab.arena, lab.model.descriptor.tables.items);
      const at = (item: string) => table.column('vector')(lab.itemRow(item)) >>> 2;
      return ratings.map(({ item }) => Array.from(lab.arena.f32.subarray(at(item), at(item) + 2)));
    });
    assert.deepEqual(vectors[0], vectors[1], objective);
  }
});
