import type { BanditConfig } from '../../plugins/bandit/config.ts';
import plugin from '../../plugins/bandit/plugin.ts';
import { type Plugin, Random } from '../../plugins/contract/index.ts';
import type { Field } from '../../server/serving/exploration/field.ts';
import { draw, lotteryOf } from '../../server/serving/exploration/lottery.ts';
import { Lab } from '../laws/lab.ts';
import type { ClickModel } from './click-model.ts';

/** A bandit that learns from the clicks of a click model, list by list: the plugin and the draws of the server, in process. */

const START = 1_000_000_000;
/** They come again and again. */
const USERS = 1000;
/** In a lab a click weighs .2. */
const CLICK_WEIGHT = 5;

export interface Learned {
  /** Expected clicks of the lists that were shown: their chances, added up. */
  readonly expected: number;
  /** Of the last tenth of the lists alone. */
  readonly late: number;
}

export function learnFromClicks(
  model: ClickModel,
  config: Partial<BanditConfig>,
  lists: number,
  seed: number,
): Learned {
  const lab = new Lab(plugin as unknown as Plugin, plugin.config.parse({ ...config, seed }));
  for (let item = 0; item < model.items; item++)
    lab.teach({ user: 'user-0', item: `item-${item}`, kind: 'view', weight: 0, time: START });
  const random = new Random();
  random.key(seed, 1);
  let [expected, late] = [0, 0];
  for (let n = 0; n < lists; n++) {
    const user = `user-${random.below(USERS)}`;
    const time = START + 60 * n;
    const items = drawList(lab, user, `list-${n}`, model.places, time);
    const clicked: number[] = [];
    for (const [place, item] of items.entries()) {
      const chance = model.chance(item, place);
      expected += chance;
      if (10 * n >= 9 * lists) late += chance;
      if (random.next() < chance * 2 ** 32) clicked.push(item);
      lab.teach({ user, item: `item-${item}`, kind: 'view', time });
    }
    for (const item of clicked)
      lab.teach({ user, item: `item-${item}`, kind: 'click', weight: CLICK_WEIGHT, time: time + 30 });
  }
  return { expected, late };
}

/** Rows of items are their numbers. */
function drawList(lab: Lab, user: string, id: string, count: number, time: number): number[] {
  const { scorer, descriptor, items } = lab.model;
  const { explores } = scorer;
  if (!explores) throw new TypeError(`${lab.model.name} does not explore`);
  const query = { user: lab.userRow(user), time };
  const span = [0, items];
  const scores = explores.by === 'posterior' ? lab.hopes(query.user, span, time) : lab.score(query.user, span, time);
  const field: Field = {
    scores,
    best: (most) =>
      Array.from(scores, (score, position) => ({ position, score }))
        .sort((a, b) => b.score - a.score || a.position - b.position)
        .slice(0, most),
    rowOf: (position) => position,
  };
  return draw(lotteryOf(explores, query, descriptor.config.seed, id), field, count).map(({ position }) => position);
}
