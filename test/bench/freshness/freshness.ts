import { writeFileSync } from 'node:fs';
import type { Plugin } from '../../../plugins/contract/index.ts';
import { Scale } from '../../../server/memory/scale.ts';
import { loadPlugin } from '../../../server/models/plugins.ts';
import { choose, type Found, find1mHalf, find100k, readMovieLensSmall } from '../../data.ts';
import { CACHE, makeCache } from '../cache.ts';
import type { Report } from '../report.ts';
import { TimeLeft } from '../time-left.ts';
import { type Course, online, type Subject } from './courses.ts';
import { type Kept, keepFresh, planOf, WAYS } from './keep-fresh.ts';
import { plot } from './plot.ts';
import { nameOf, type Table, tableOf } from './table.ts';

/**
 * What freshness buys: the error of a model that learns every rating at once, beside that of the same model when it is also
 * refitted every T, and when it is trained from nothing every T on all that came before and learns nothing in between; with
 * the processor's time that each takes. All errors are of the same ratings, each predicted before the model knows it.
 */

const MODEL = 'mf';
const HOUR_S = 3600;
const DAY_S = 24 * HOUR_S;

export interface Case {
  readonly set: string;
  readonly find: () => Found;
  readonly scale: Scale;
  /** T, by name, in seconds. */
  readonly every: Readonly<Record<string, number>>;
  /** How many periods of length T are measured at most: others are estimated from these. */
  readonly periodsMax: number;
}

const LONG = { '1 day': DAY_S, '1 week': 7 * DAY_S, '1 month': 30 * DAY_S };
const CASES: readonly Case[] = [
  {
    set: 'ml-100k',
    find: () => find100k(),
    scale: new Scale(1, 5),
    every: { '1 hour': HOUR_S, '6 hours': 6 * HOUR_S, ...LONG },
    periodsMax: 8,
  },
  { set: 'ml-1m, timed half', find: find1mHalf, scale: new Scale(1, 5), every: LONG, periodsMax: 4 },
];

/** The first ratings of the set that is always there. */
export const SHORT: readonly Case[] = [
  {
    set: 'ml-latest-small, first ratings',
    find: () => ({ skip: false, ratings: choose(readMovieLensSmall(), (place) => place < 2000) }),
    scale: new Scale(0.5, 5),
    every: { '30 days': 30 * DAY_S, '180 days': 180 * DAY_S },
    periodsMax: 3,
  },
];

export async function benchFreshness(report: Report, cases: readonly Case[] = CASES): Promise<void> {
  const plugin = await loadPlugin(MODEL);
  const left = new TimeLeft();
  const all = cases.flatMap((each) => prepare(report, plugin, each));
  const work = all.reduce((sum, { units }) => sum + units, 0);
  let done = 0;
  const tables: Table[] = [];
  for (const { each, subject, plans, unit } of all) {
    const part = `freshness ${each.set}`;
    report.heading(`What freshness buys on ${each.set}: errors of ${MODEL}, and the processor's time`);
    const alone = online(subject);
    const kept: Kept[] = [onlineAlone(alone)];
    tell(report, part, kept[0], kept[0].rmse);
    for (const plan of plans) {
      const onPeriod = () => {
        done += unit;
        left.update(`freshness of ${each.set}`, done / work);
      };
      kept.push(await keepFresh(subject, alone, plan, onPeriod));
      tell(report, part, kept[kept.length - 1], kept[0].rmse);
    }
    tables.push({ set: each.set, kept });
  }
  console.log(`\n${tables.map(tableOf).join('\n\n')}`);
  makeCache();
  const path = `${CACHE}/freshness.svg`;
  writeFileSync(path, plot(tables));
  console.log(`\nDrawn in ${path}`);
}

/** A set that is there, what is to be measured on it, and how much work that is. */
function prepare(report: Report, plugin: Plugin, each: Case) {
  const { skip, ratings } = each.find();
  if (!ratings) {
    report.note(String(skip));
    return [];
  }
  const subject: Subject = { plugin, ratings, scale: each.scale };
  const plans = Object.entries(each.every).flatMap(([every, seconds]) =>
    WAYS.map((way) => planOf(subject, way, every, seconds, each.periodsMax)),
  );
  const unit = ratings.count;
  return [{ each, subject, plans, unit, units: unit * plans.reduce((sum, { drawn }) => sum + drawn.length, 0) }];
}

function onlineAlone({ squared, cpu }: Course): Kept {
  const rmse = Math.sqrt(squared.reduce((sum, square) => sum + square, 0) / squared.length);
  return { way: 'online', every: '', rmse, interval: undefined, cpu, fits: 0, measured: 0 };
}

/** `online`: the error of online learning, to which what there is more of it is added. */
function tell(report: Report, part: string, kept: Kept, online: number): void {
  const name = nameOf(kept);
  const interval = kept.interval && ([kept.interval[0] + online, kept.interval[1] + online] as const);
  report.add({ part, name: `${name}: RMSE`, value: kept.rmse, unit: '', interval });
  report.add({ part, name: `${name}: CPU`, value: kept.cpu, unit: 's' });
}
