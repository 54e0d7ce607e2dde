import type { WritableAddress } from '../../plugins/contract/index.ts';
import { configHash } from '../../server/config/hash.ts';
import { Scale } from '../../server/memory/scale.ts';
import { loadPlugin } from '../../server/models/plugins.ts';
import { find100k, findMovieLensSmall, type Ratings } from '../data.ts';
import { Lab } from '../laws/lab.ts';
import { randomNumbers } from '../support/ratings.ts';
import { type Figure, ofRounds, type Report } from './report.ts';

/** What learning and scoring take by themselves: in this process, without wire, disk and other threads. */

const ROUNDS = 3;
const SCORES = 2000;
const SEED = 1;
const BUDGET_MIB = 512;
const mf = await loadPlugin('mf');

const CASES = [
  { set: 'ml-100k', find: find100k, scale: new Scale(1, 5) },
  {
    set: 'ml-latest-small',
    find: findMovieLensSmall,
    scale: new Scale(0.5, 5),
  },
];
const SETTINGS = [
  { label: 'plain mf k=64 without replay', config: { base: 'biases', ranking: 'taste', k: 64, replay: { count: 0 } } },
  { label: 'mf as shipped (k=64, replay 6)', config: {} },
];

export async function benchKernels(report: Report): Promise<void> {
  for (const { set, find, scale } of CASES) {
    report.heading(`Kernels on ${set}, in process`);
    const { skip, ratings } = find();
    if (!ratings) report.note(String(skip));
    else for (const { label, config } of SETTINGS) benchLab(report, `kernels ${set}`, label, config, ratings, scale);
  }
}

function benchLab(report: Report, part: string, label: string, input: object, ratings: Ratings, scale: Scale): void {
  const config = mf.config.parse(input);
  const add = (figure: Omit<Figure, 'part'>) => report.add({ part, configHash: configHash(config), ...figure });
  const learned: number[] = [];
  const scored: number[] = [];
  let items = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const lab = new Lab(mf, config, { scale, budgetMiB: BUDGET_MIB });
    learned.push(ratings.count / secondsOf(() => teach(lab, ratings)));
    items = lab.model.items;
    scored.push((secondsOf(() => score(lab)) / SCORES) * 1e6);
  }
  add({ name: `${label}, learning`, ...ofRounds(learned), unit: 'ratings/s' });
  add({ name: `  scoring ${items} items for a user`, ...ofRounds(scored), unit: 'us' });
}

function teach(lab: Lab, { count, user, item, value, time }: Ratings): void {
  for (let n = 0; n < count; n++) {
    lab.teach({ user: String(user[n]), item: String(item[n]), value: value[n], time: time[n] });
  }
}

/** All items for users drawn at random. */
function score({ arena, model, world }: Lab): void {
  const draw = randomNumbers(SEED);
  const { items } = model;
  const out = arena.allocate(4 * items) as WritableAddress;
  const all = Uint32Array.of(0, items);
  for (let n = 0; n < SCORES; n++) {
    const user = Math.floor(draw() * world.users.rows);
    model.scorer.score({ user, time: 0 }, all, 1, out);
  }
}

function secondsOf(work: () => void): number {
  const startMs = performance.now();
  work();
  return (performance.now() - startMs) / 1000;
}
