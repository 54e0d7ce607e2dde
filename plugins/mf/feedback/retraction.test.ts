import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Table } from '../../../server/memory/table.ts';
import { Lab, type Rating } from '../../../test/laws/lab.ts';
import { differences } from '../../../test/laws/rows.ts';
import { circles, firstRatings, item, user } from '../../../test/laws/streams.ts';
import { NO_ROW, type Plugin } from '../../contract/index.ts';
import plugin from '../plugin.ts';
import { FEEDBACK } from './config.ts';

/* What a retraction takes back, and what a refit makes of the rest. */

const SIZE = { users: 30, items: 40, events: 900 };
const ELSEWHERE = 'elsewhere';
const past = [...firstRatings(5, SIZE), { user: 'other', item: ELSEWHERE, value: 3 }];

const createLab = (objective: string, more: object = {}) =>
  new Lab(plugin as unknown as Plugin, plugin.config.parse({ objective, k: 8, ...more }));

function rowOf(lab: Lab, name: 'users' | 'items', id: string): number[] {
  const descriptor = lab.model.descriptor.tables[name];
  const table = new Table(lab.arena, descriptor);
  const row = name === 'users' ? lab.userRow(id) : lab.itemRow(id);
  return Object.entries(descriptor.columns).flatMap(([column, { type, width }]) => {
    const at = table.column(column)(row) >>> 2;
    return Array.from((type === 'u32' ? lab.arena.u32 : lab.arena.f32).subarray(at, at + width));
  });
}

/** How much higher than the mean of all an item stands for a user, before it becomes a probability. */
function standing(lab: Lab, id: string, other: string): number {
  const { objective } = lab.model.descriptor.config as unknown as { objective: string };
  const scores = Array.from(lab.score(lab.userRow(id), [0, lab.model.items]), (score) =>
    objective === 'logistic' ? Math.log(score / (1 - score)) : score,
  );
  return scores[lab.itemRow(other)] - scores.reduce((sum, score) => sum + score, 0) / scores.length;
}

/** Pairs that nobody rated. */
const known = new Set(past.map(({ user, item }) => `${user} ${item}`));
const free = Array.from({ length: SIZE.users }, (_, n) => {
  const steps = Array.from({ length: SIZE.items }, (_unused, step) => item((n + step) % SIZE.items));
  return { user: user(n), item: steps.find((id) => !known.has(`${user(n)} ${id}`)) ?? '' };
});

/** The plugin, and how often its learner looked at any event. */
function countingLooks(): { counted: Plugin; looks: () => number } {
  let count = 0;
  const counting = <T extends object>(events: T): T =>
    new Proxy(events, {
      get(_, name) {
        const value = Reflect.get(events, name);
        if (typeof value !== 'function') return value;
        return (...asked: unknown[]) => {
          count++;
          return value.apply(events, asked);
        };
      },
    });
  const original = plugin as unknown as Plugin;
  const counted: Plugin = {
    ...original,
    learner: (context) => original.learner({ ...context, events: counting(context.events) }),
  };
  return { counted, looks: () => count };
}

const CLICKED = { user: 'clicker', item: 'clicked' };

const WAYS: Readonly<Record<string, Partial<Rating>>> = { 'a rating': { value: 5 }, 'an event': { kind: 'buy' } };

for (const objective of [...FEEDBACK, 'ials']) {
  test(`${objective}: hundreds of events of one pair are taken back with hardly more looks at events than one`, () => {
    const clicks = (count: number) => Array.from({ length: count }, () => ({ ...CLICKED, kind: 'buy' }));
    const others = Array.from({ length: 900 }, (_, n) => ({ user: CLICKED.user, item: item(n), kind: 'buy' }));
    const costOf = (count: number) => {
      const { counted, looks } = countingLooks();
      const lab = new Lab(counted, plugin.config.parse({ objective, k: 8 }));
      lab.teachAll([...past, ...others, ...clicks(count)]);
      const before = looks();
      lab.teach({ ...CLICKED, kind: 'buy', retract: true });
      return looks() - before;
    };
    const [one, many] = [1, 400].map(costOf);
    // Each alone took as many as one: 400 times.
    assert.ok(one > 0 && many < 40 * one, `${many} looks, and ${one} of one`);
  });
}

for (const objective of FEEDBACK) {
  test(`${objective}: what a user had to do with is looked for once, however much is learned again`, () => {
    const clicks = Array.from({ length: 1000 }, (_, n) => ({ user: 'clicker', item: item(n), kind: 'buy' }));
    const costOf = (settings: object) => {
      const { counted, looks } = countingLooks();
      const lab = new Lab(counted, plugin.config.parse({ objective, k: 2, ...settings })).teachAll(clicks);
      const before = looks();
      lab.teach({ ...clicks[7], retract: true });
      return looks() - before;
    };
    const [few, learned, looked, both] = [
      costOf({ relearn: 10, feedback: { window: 10, popular: 0 } }),
      costOf({ relearn: 1000, feedback: { window: 10, popular: 0 } }),
      costOf({ relearn: 10, feedback: { window: 1000, popular: 0 } }),
      costOf({ relearn: 1000, feedback: { window: 1000, popular: 0 } }),
    ];
    assert.ok(few < learned && few < looked);
    assert.ok(both <= learned + looked, `${both} looks, ${learned} to learn again, ${looked} to look through`);
  });
}

for (const objective of FEEDBACK) {
  describe(objective, () => {
    for (const [way, more] of Object.entries(WAYS)) {
      test(`${way} taken back: of where it put its items for its users, more than half is gone`, () => {
        let learned = 0;
        let left = 0;
        for (const pair of free) {
          const elsewhere = { ...pair, item: ELSEWHERE };
          const [lab, other] = [createLab(objective).teachAll(past), createLab(objective).teachAll(past)];
          const before = standing(lab, pair.user, pair.item);
          lab.teach({ ...pair, ...more });
          learned += standing(lab, pair.user, pair.item) - before;
          lab.teach({ ...pair, ...more, retract: true });
          // A user's row that is learned again is another one anyhow: so it is after any retraction.
          other.teachAll([
            { ...elsewhere, ...more },
            { ...elsewhere, ...more, retract: true },
          ]);
          left += standing(lab, pair.user, pair.item) - standing(other, pair.user, pair.item);
        }
        assert.ok(learned > 0 && Math.abs(left) < learned / 2, `of ${learned} learned, ${left} is left`);
      });
    }

    test('who takes everything back begins anew, and so does what nobody chose any more', () => {
      const [fresh, lab] = [createLab(objective), createLab(objective).teachAll(past)];
      const events: Rating[] = [
        { user: 'u', item: item(1), value: 4 },
        { user: 'u', item: 'alone', kind: 'buy' },
        { user: 'u', item: 'alone', kind: 'view' },
        { user: 'u', item: 'alone', value: 4 },
      ];
      lab.teachAll(events);
      fresh.teachAll([{ user: 'u', item: 'alone', kind: 'view', weight: 0 }]);
      assert.notDeepEqual(rowOf(lab, 'users', 'u'), rowOf(fresh, 'users', 'u'));
      for (const event of events) lab.teach({ ...event, retract: true });
      assert.deepEqual(rowOf(lab, 'users', 'u'), rowOf(fresh, 'users', 'u'));
      assert.deepEqual(rowOf(lab, 'items', 'alone'), rowOf(fresh, 'items', 'alone'));
    });

    test('a rating that falls below the threshold is taken back, and one that rises above it is learned', () => {
      const lab = createLab(objective, { feedback: { threshold: 3 } }).teachAll(past);
      const rating = { user: user(1), item: free[1].item };
      const places = [5, 1, 5].map((value) => {
        lab.teach({ ...rating, value });
        return standing(lab, rating.user, rating.item);
      });
      assert.ok(places[1] < places[0] && places[1] < places[2], `it stands at ${places}`);
    });

    test('a refit leaves nothing of what was taken back, and tells two circles apart', async () => {
      const more = { refit: { epochs: 30 } };
      const events = circles(20).filter(({ value }) => value === 5);
      const stray = events.map(({ user: id }, n) => ({ user: id, item: item(n % 20), kind: 'buy' }));
      const [never, lab] = [createLab(objective, more), createLab(objective, more)];
      never.teachAll(events);
      lab.teachAll(events);
      lab.teachAll([...stray, ...stray.map((event) => ({ ...event, retract: true }))]);
      for (const each of [never, lab]) for await (const _ of each.model.refit(3));
      assert.deepEqual(differences(never, lab), []);
      const wrong = Array.from({ length: 20 }, (_, u) => {
        const scores = lab.score(lab.userRow(user(u)), [0, lab.model.items]);
        const meanOf = (parity: number) => {
          const own = Array.from(scores).filter((_score, row) => {
            const text = lab.world.items.text(row);
            return (Number(text.replace('item-', '')) + u) % 2 === parity;
          });
          return own.reduce((sum, score) => sum + score, 0) / own.length;
        };
        return meanOf(0) > meanOf(1) ? 0 : 1;
      });
      assert.equal(wrong.filter(Boolean).length, 0);
    });

    test('who is unknown is ranked for by what the items have of their own', () => {
      const lab = createLab(objective).teachAll(past);
      const scores = lab.score(NO_ROW, [0, lab.model.items]);
      const biases = Array.from({ length: lab.model.items }, (_, row) => {
        const table = new Table(lab.arena, lab.model.descriptor.tables.items);
        return lab.arena.f32[table.column('bias')(row) >>> 2];
      });
      const byScore = scores.map((_, row) => row).toSorted((a, b) => scores[b] - scores[a]);
      const byBias = biases.map((_, row) => row).toSorted((a, b) => biases[b] - biases[a]);
      assert.deepEqual(Array.from(byScore), byBias);
    });
  });
}

test('an exposure that was taken back, or its click, leaves the other as if it had been alone', () => {
  const shown = { ...free[3], kind: 'view' };
  const clicked = { ...free[3], kind: 'click', weight: 5 };
  const start = () => createLab('logistic').teachAll([...past, { ...shown, user: 'other' }]);
  const at = (lab: Lab) => standing(lab, user(2), free[3].item);
  const [none, both] = [start(), start().teachAll([shown, clicked])];
  const [alone, clickAlone] = [start().teachAll([shown]), start().teachAll([clicked])];
  assert.ok(at(alone) < at(none) && at(none) < at(clickAlone));
  both.teach({ ...clicked, retract: true });
  assert.ok(at(both) < at(none), `it stands at ${at(both)}, at ${at(none)} without anything`);
  const other = start().teachAll([shown, clicked, { ...shown, retract: true }]);
  const most = (at(none) - at(alone)) / 2;
  assert.ok(Math.abs(at(other) - at(clickAlone)) < most, `it stands at ${at(other)}, not ${at(clickAlone)}`);
});

test('with the last exposure taken back, its user learns again from what is drawn', () => {
  const events = Array.from({ length: 15 }, (_, n) => ({ user: 'u', item: item(n), kind: 'click' }));
  const meanWith = (kind: string) => {
    const lab = createLab('logistic').teachAll([...past, ...events]);
    lab.teach({ user: 'u', item: item(30), kind });
    lab.teach({ user: 'u', item: item(30), kind, retract: true });
    const scores = Array.from(lab.score(lab.userRow('u'), [0, lab.model.items]));
    return scores.reduce((sum, score) => sum + score, 0) / scores.length;
  };
  const [shown, clicked] = [meanWith('view'), meanWith('click')];
  assert.ok(shown < 2 * clicked, `items have a chance of ${shown} in the mean, of ${clicked} after a click`);
});

test('a refit that is left off while rows begin anew counts what is live', async () => {
  const lab = createLab('bpr');
  const items = Array.from({ length: 4100 }, (_, n) => item(n));
  for (const id of items) lab.teach({ user: 'u', item: id, kind: 'click' });
  const table = new Table(lab.arena, lab.model.descriptor.tables.items);
  const ratings = table.column('ratings');
  let steps = 0;
  for await (const _ of lab.model.refit(3)) if (++steps === 3) break;
  assert.deepEqual(
    items.filter((id) => lab.arena.u32[ratings(lab.itemRow(id)) >>> 2] !== 1),
    [],
  );
});
