import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readMovieLensSmall } from '../../../test/data.ts';
import { Lab } from '../../../test/laws/lab.ts';
import { randomNumbers } from '../../../test/support/ratings.ts';
import type { Plugin } from '../../contract/index.ts';
import plugin from '../plugin.ts';

/* Probabilities are what happens: said before each exposure, and compared with what came of it. */

interface Exposure {
  readonly user: string;
  readonly item: string;
  readonly isClicked: boolean;
}

interface Said {
  readonly p: number;
  readonly isClicked: boolean;
}

/** In a lab a click weighs .2, an exposure 1: here they weigh the same. */
const CLICK = 5;
/** What the model may be off because it is still learning, besides what chance explains. */
const LEARNING = 0.03;

function say(exposures: readonly Exposure[]): Said[] {
  const lab = new Lab(plugin as unknown as Plugin, plugin.config.parse({ objective: 'logistic', k: 16 }));
  return exposures.map(({ user, item, isClicked }, n) => {
    const row = lab.itemRow(item);
    const [p] = row < lab.model.items ? lab.score(lab.userRow(user), [row, row + 1]) : [Number.NaN];
    lab.teach({ user, item, kind: 'view', time: n });
    if (isClicked) lab.teach({ user, item, kind: 'click', weight: CLICK, time: n });
    return { p, isClicked };
  });
}

const mean = (numbers: readonly number[]) => numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
const shareOf = (said: readonly Said[]) => mean(said.map(({ isClicked }) => (isClicked ? 1 : 0)));
const lossOf = (said: readonly Said[], p: (each: Said) => number) =>
  mean(said.map((each) => -Math.log(each.isClicked ? p(each) : 1 - p(each))));

/**
 * In every tenth of what was said, from the lowest to the highest, the share that was clicked is what was said on average,
 * within four standard errors of such a share and `LEARNING`; and the log loss is below that of the share of all.
 */
function requireCalibrated(said: readonly Said[]): void {
  const ordered = said.filter(({ p }) => !Number.isNaN(p)).toSorted((a, b) => a.p - b.p);
  const tenth = ordered.length / 10;
  for (let n = 0; n < 10; n++) {
    const part = ordered.slice(Math.floor(n * tenth), Math.floor((n + 1) * tenth));
    const [expected, found] = [mean(part.map(({ p }) => p)), shareOf(part)];
    const error = Math.sqrt((expected * (1 - expected)) / part.length);
    assert.ok(
      Math.abs(expected - found) < 4 * error + LEARNING,
      `tenth ${n}: ${expected} was said, ${found} was clicked`,
    );
  }
  const base = shareOf(ordered);
  const [loss, baseLoss] = [lossOf(ordered, ({ p }) => p), lossOf(ordered, () => base)];
  assert.ok(loss < 0.95 * baseLoss, `the log loss is ${loss}, that of the mean ${baseLoss}`);
}

describe('where there are exposures', () => {
  test('made-up clicks, of users and items that differ', () => {
    const draw = randomNumbers(3);
    const normal = () => Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw());
    const side = (count: number) => Array.from({ length: count }, () => [normal() / 2, normal(), normal()]);
    const [users, items] = [side(100), side(60)];
    const exposures = Array.from({ length: 30_000 }, () => {
      const [u, i] = [Math.floor(draw() * users.length), Math.floor(draw() * items.length)];
      const logit = -1.5 + users[u][0] + items[i][0] + 0.7 * (users[u][1] * items[i][1] + users[u][2] * items[i][2]);
      return { user: `user ${u}`, item: `item ${i}`, isClicked: draw() < 1 / (1 + Math.exp(-logit)) };
    });
    requireCalibrated(say(exposures).slice(10_000));
  });

  test('a real stream: films that were rated, of which those of 4 and more count as clicked', () => {
    const { user, item, value } = readMovieLensSmall();
    const exposures = Array.from({ length: 30_000 }, (_, n) => ({
      user: `user ${user[n]}`,
      item: `item ${item[n]}`,
      isClicked: value[n] >= 4,
    }));
    requireCalibrated(say(exposures).slice(10_000));
  });
});

test('where negatives are drawn, the probabilities of what is done next add up to about 1', () => {
  const { user, item } = readMovieLensSmall();
  const lab = new Lab(plugin as unknown as Plugin, plugin.config.parse({ objective: 'logistic', k: 16 }));
  const sums: number[] = [];
  for (let n = 0; n < 12_000; n++) {
    const id = `user ${user[n]}`;
    if (n > 6000 && n % 50 === 0 && lab.userRow(id) < lab.world.users.rows) {
      const row = lab.userRow(id);
      const scores = Array.from(lab.score(row, [0, lab.model.items]));
      sums.push(scores.reduce((sum, p, at) => (lab.world.interactions.find(row, at) < 0 ? sum + p : sum), 0));
    }
    lab.teach({ user: id, item: `item ${item[n]}`, value: 4 });
  }
  const all = mean(sums);
  assert.ok(all > 0.5 && all < 2, `they add up to ${all}`);
});
