import type { Plugin } from '../../plugins/contract/index.ts';
import { Scale } from '../../server/memory/scale.ts';
import { loadPlugin } from '../../server/models/plugins.ts';
import { type Found, find1mHalf, find100k, findMovieLensSmall, type Ratings } from '../data.ts';
import { Lab } from '../laws/lab.ts';
import type { Report, Target } from './report.ts';

/**
 * What a refit at the half of a stream is worth: a model learns the first half online, is refitted or not, and goes on online
 * through the second, whose errors count. In process; one setting for all sets.
 */

const SEED = 1;

interface Case {
  readonly set: string;
  readonly find: () => Found;
  readonly scale: Scale;
  readonly target?: Target;
}

const CASES: readonly Case[] = [
  { set: 'ml-100k', find: find100k, scale: new Scale(1, 5), target: { atMost: 0.92 } },
  {
    set: 'ml-latest-small',
    find: findMovieLensSmall,
    scale: new Scale(0.5, 5),
  },
  { set: 'ml-1m, timed half', find: find1mHalf, scale: new Scale(1, 5) },
];

export async function benchRefit(report: Report): Promise<void> {
  for (const model of ['mf', 'ncf']) {
    report.heading(`A refit of ${model} at the half of a stream: errors of the second half`);
    for (const each of CASES) await measure(report, model, each);
  }
}

async function measure(report: Report, model: string, { set, find, scale, target }: Case): Promise<void> {
  const { skip, ratings } = find();
  if (!ratings) return report.note(String(skip));
  const plugin = await loadPlugin(model);
  const part = `refit of ${model} ${set}`;
  const add = (name: string, value: number, atMost?: Target) =>
    report.add({ part, name: `${set}: ${model} ${name}`, value, unit: '', target: atMost });
  const without = await goOn(plugin, ratings, scale);
  const refitted = await goOn(plugin, ratings, scale, SEED);
  for (const [name, { rmse, mae }] of [
    ['online alone', without],
    ['refitted', refitted],
  ] as const) {
    add(`rmse, ${name}`, rmse, model === 'mf' && name === 'refitted' ? target : undefined);
    add(`mae, ${name}`, mae);
  }
  add('rmse, refitted less online alone', refitted.rmse - without.rmse, { atMost: 0 });
  const name = `${set}: ${model}, CPU of the refit, by rating and epoch (of the most that there may be)`;
  const atMost = model === 'mf' ? { atMost: 1000 } : undefined;
  report.add({ part, name, value: refitted.stepNs, unit: 'ns', target: atMost });
}

export interface Course {
  /** Of the second half, each rating predicted before it was learned. */
  readonly rmse: number;
  readonly mae: number;
  /** CPU time of the refit, by rating and epoch; NaN without one. */
  readonly stepNs: number;
}

/** The second half of `ratings`, after a refit by `seed` at the end of the first, or none. */
export async function goOn(plugin: Plugin, ratings: Ratings, scale: Scale, seed?: number): Promise<Course> {
  const config = plugin.config.parse({}) as { seed: number; refit: { epochs: number } };
  const lab = new Lab(plugin, config, { scale, budgetMiB: 512 });
  const half = Math.floor(ratings.count / 2);
  const teach = (n: number) => {
    const { user, item, value, time } = ratings;
    lab.teach({ user: String(user[n]), item: String(item[n]), value: value[n], time: time[n] });
    return value[n] - lab.expected;
  };
  for (let n = 0; n < half; n++) teach(n);
  const before = process.cpuUsage();
  if (seed !== undefined) for await (const _ of lab.model.refit(seed));
  const cpuUs = process.cpuUsage(before).user;
  let [squared, absolute] = [0, 0];
  for (let n = half; n < ratings.count; n++) {
    const error = teach(n);
    squared += error * error;
    absolute += Math.abs(error);
  }
  const count = ratings.count - half;
  const stepNs = seed === undefined ? Number.NaN : (1000 * cpuUs) / (half * config.refit.epochs);
  return { rmse: Math.sqrt(squared / count), mae: absolute / count, stepNs };
}
