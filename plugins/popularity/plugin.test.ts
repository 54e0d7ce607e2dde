import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Table } from '../../server/memory/table.ts';
import { Lab, type Rating } from '../../test/laws/lab.ts';
import { NO_ROW, type Plugin } from '../contract/index.ts';
import plugin from './plugin.ts';

const DAY = 86_400;
const HALF_LIFE_DAYS = 30;
/** A whole number of half-lives after 1970, where the score meets log2 at powers of two. */
const NOW = 660 * HALF_LIFE_DAYS * DAY;

function createLab(ratings: readonly Rating[], halfLifeDays: number | null = HALF_LIFE_DAYS): Lab {
  return new Lab(plugin as unknown as Plugin, plugin.config.parse({ halfLifeDays })).teachAll(ratings);
}

const rate = (user: number, item: string, days = 0, weight = 1): Rating => ({
  user: `user-${user}`,
  item,
  value: 3,
  weight,
  time: NOW + days * DAY,
});

/** The score of an item at `NOW`. */
function scoreOf(lab: Lab, item: string): number {
  const row = lab.itemRow(item);
  return lab.score(NO_ROW, [row, row + 1], NOW)[0];
}

/** What an item's row says: C = mantissa 2^exponent. */
function row(lab: Lab, item: string): { mantissa: number; exponent: number } {
  const table = new Table(lab.arena, lab.model.descriptor.tables.items);
  const value = (name: string) => lab.arena.f64[table.column(name)(lab.itemRow(item)) >>> 3];
  return { mantissa: value('mantissa'), exponent: value('exponent') };
}

function near(actual: number, expected: number, tolerance = 1e-6): void {
  assert.ok(Math.abs(actual - expected) < tolerance, `${actual} is not ${expected}`);
}

/** What the score uses for log2. */
const piecewise = (count: number) => Math.floor(Math.log2(count)) + count / 2 ** Math.floor(Math.log2(count)) - 1;

describe('three ratings by hand', () => {
  test('without decay, C counts weights', () => {
    const lab = createLab([], null);
    lab.teach(rate(1, 'a'));
    assert.deepEqual(row(lab, 'a'), { mantissa: 1, exponent: 0 });
    lab.teach(rate(2, 'a', 5, 2));
    assert.deepEqual(row(lab, 'a'), { mantissa: 1.5, exponent: 1 });
    lab.teach(rate(3, 'a', 9, 0.5));
    assert.deepEqual(row(lab, 'a'), { mantissa: 1.75, exponent: 1 });
    near(scoreOf(lab, 'a'), piecewise(3.5));
  });

  test('a rating of one half-life ago counts half', () => {
    const lab = createLab([rate(1, 'a', -HALF_LIFE_DAYS)]);
    near(scoreOf(lab, 'a'), -1);
    lab.teach(rate(2, 'a', -HALF_LIFE_DAYS));
    near(scoreOf(lab, 'a'), 0);
    lab.teach(rate(3, 'a', 0));
    near(scoreOf(lab, 'a'), piecewise(2));
  });
});

test('the score rises with the count', () => {
  const counts = Array.from({ length: 70 }, (_, n) => {
    const ratings = Array.from({ length: n + 1 }, (_unused, user) => rate(user, 'a', -(user % 7)));
    return scoreOf(createLab(ratings), 'a');
  });
  for (const [n, score] of counts.entries()) assert.ok(n === 0 || score > counts[n - 1]);
});

test('ten thousand half-lives neither overflow nor hide what is new', () => {
  const days = 10_000 * HALF_LIFE_DAYS;
  const lab = createLab([rate(1, 'old'), rate(2, 'new', days), rate(1, 'both'), rate(2, 'both', days)]);
  near(scoreOf(lab, 'old'), 0, 1e-3);
  near(scoreOf(lab, 'new'), 10_000, 1e-3);
  assert.equal(scoreOf(lab, 'both'), scoreOf(lab, 'new'));
  lab.teachAll([rate(1, 'backwards', days), rate(2, 'backwards')]);
  assert.equal(scoreOf(lab, 'backwards'), scoreOf(lab, 'new'));
});

test('the order of arrival is not that of time: a late old rating counts by its time', () => {
  const [early, late] = [rate(1, 'a', -90), rate(2, 'a', 0)];
  near(scoreOf(createLab([early, late]), 'a'), scoreOf(createLab([late, early]), 'a'));
});

test('an edit replaces what the rating counted', () => {
  near(scoreOf(createLab([rate(1, 'a'), rate(1, 'a', 0, 2)]), 'a'), piecewise(2));
  const lab = createLab([rate(1, 'a', 0, 4), rate(2, 'a'), rate(1, 'a', -HALF_LIFE_DAYS, 2)]);
  near(scoreOf(lab, 'a'), piecewise(2));
});

test('an item whose ratings are all taken back ranks with those that never had one, below all others', () => {
  const lab = createLab([rate(1, 'a', 3, 0.1), { ...rate(1, 'a'), retract: true }, rate(1, 'b', -3000, 0.001)]);
  assert.deepEqual(row(lab, 'a'), { mantissa: 0, exponent: 0 });
  assert.ok(scoreOf(lab, 'a') < scoreOf(lab, 'b'));
  assert.ok(Number.isFinite(scoreOf(lab, 'a')));
});

for (const halfLives of [10, 40, 100]) {
  test(`what is ${halfLives} half-lives older is left when what hid it is taken back`, () => {
    const old = rate(1, 'a', -(halfLives + 0.3) * HALF_LIFE_DAYS, 0.7);
    const lab = createLab([old, rate(2, 'a', 5), { ...rate(2, 'a'), retract: true }]);
    near(scoreOf(lab, 'a'), scoreOf(createLab([old]), 'a'));
  });
}

describe('events of other kinds', () => {
  /** In a lab, a click weighs 0.2 and a purchase 3. */
  const event = (kind: string, user: number, item: string, days = 0, more: Partial<Rating> = {}): Rating => {
    const { value: _, ...rated } = rate(user, item, days);
    return { ...rated, kind, ...more };
  };

  test('count by their weight and that of their kind, and fade as ratings do', () => {
    near(scoreOf(createLab([event('buy', 1, 'a')]), 'a'), piecewise(3));
    near(scoreOf(createLab([event('click', 1, 'a', 0, { weight: 5 })]), 'a'), 0);
    near(scoreOf(createLab([event('buy', 1, 'a', -HALF_LIFE_DAYS), rate(1, 'a')]), 'a'), piecewise(2.5));
    near(
      scoreOf(createLab([event('click', 1, 'a'), event('click', 1, 'a'), event('buy', 2, 'a')]), 'a'),
      piecewise(3.4),
    );
  });

  test('who is shown an item has not asked for it', () => {
    const shown = event('view', 2, 'a', 40 * HALF_LIFE_DAYS);
    const lab = createLab([event('click', 1, 'a'), shown, event('buy', 2, 'a', 40 * HALF_LIFE_DAYS)]);
    lab.teachAll([{ ...shown, retract: true }, event('buy', 2, 'a', 0, { retract: true })]);
    near(scoreOf(lab, 'a'), scoreOf(createLab([event('click', 1, 'a')]), 'a'));
  });

  test('one that carries a value counts once, as the rating that it set', () => {
    const rated = event('buy', 1, 'a', 0, { value: 5, weight: 2 });
    near(scoreOf(createLab([rated]), 'a'), piecewise(2));
    near(scoreOf(createLab([rate(1, 'a'), rated]), 'a'), piecewise(2));
    const takenBack = createLab([rate(2, 'a'), rated, { ...rated, retract: true }]);
    near(scoreOf(takenBack, 'a'), 0);
  });

  test('all of a kind are taken back, and what they hid is left', () => {
    const days = 40 * HALF_LIFE_DAYS;
    const old = [rate(1, 'a'), event('click', 2, 'a')];
    const late = [event('buy', 3, 'a', days), event('buy', 3, 'a', days + 1), event('click', 3, 'a', 0)];
    const lab = createLab([...old, ...late, event('buy', 3, 'a', 0, { retract: true })]);
    near(scoreOf(lab, 'a'), piecewise(1.4));
    lab.teach(event('click', 3, 'a', 0, { retract: true }));
    near(scoreOf(lab, 'a'), piecewise(1.2));
    lab.teachAll([event('click', 2, 'a', 0, { retract: true }), { ...rate(1, 'a'), retract: true }]);
    assert.deepEqual(row(lab, 'a'), { mantissa: 0, exponent: 0 });
  });
});

test('known users and strangers get the same ranking', () => {
  const lab = createLab([rate(1, 'a'), rate(2, 'b', -40), rate(1, 'b', -40), rate(3, 'c', -400)]);
  assert.deepEqual(lab.score(lab.userRow('user-1'), [0, 3], NOW), lab.score(NO_ROW, [0, 3], NOW));
});
