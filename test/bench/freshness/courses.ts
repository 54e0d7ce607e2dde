import type { Plugin } from '../../../plugins/contract/index.ts';
import type { Scale } from '../../../server/memory/scale.ts';
import type { Ratings } from '../../data.ts';
import { Lab, type Rating } from '../../laws/lab.ts';
import type { Period } from './periods.ts';

/** What a model expects of ratings that it is not told yet, by how it is kept fresh; and the processor's time that takes. In process. */

const BUDGET_MIB = 1536;

export interface Subject {
  readonly plugin: Plugin;
  readonly ratings: Ratings;
  readonly scale: Scale;
}

/** Squared errors of some ratings, one after the other, and what making the model for them took. */
export interface Course {
  readonly squared: Float64Array;
  /** Seconds of this process; the world's part in them included, that of predictions only as far as learning asks for some. */
  readonly cpu: number;
}

/** All ratings: each predicted, then learned. */
export function online({ plugin, ratings, scale }: Subject): Course {
  const lab = labOf(plugin, scale);
  const before = process.cpuUsage();
  const squared = teach(lab, ratings, { from: 0, to: ratings.count });
  return { squared, cpu: secondsSince(before) };
}

/** A model that learned all before a period at once, from nothing, and nothing since. */
export async function retrained({ plugin, ratings, scale }: Subject, period: Period): Promise<Course> {
  const before = Array.from({ length: period.from }, (_, place) => ratingAt(ratings, place));
  const lab = labOf(plugin, scale, before);
  const cpu = period.from > 0 ? await refit(lab) : 0;
  const squared = new Float64Array(period.to - period.from);
  for (let place = period.from; place < period.to; place++) {
    const { user, item, value = 0, time } = ratingAt(ratings, place);
    squared[place - period.from] = (value - scale.toExternal(lab.predict(user, item, time))) ** 2;
  }
  return { squared, cpu };
}

/**
 * A model that learns online and is refitted where each of the periods begins: what each of them comes to. Before the first of
 * them it learned online alone. The time is that of the refit.
 */
export async function* refitted(
  { plugin, ratings, scale }: Subject,
  periods: readonly Period[],
): AsyncGenerator<Course, void, void> {
  const lab = labOf(plugin, scale);
  teach(lab, ratings, { from: 0, to: periods[0].from });
  for (const period of periods) {
    const cpu = period.from > 0 ? await refit(lab) : 0;
    yield { squared: teach(lab, ratings, period), cpu };
  }
}

function labOf(plugin: Plugin, scale: Scale, before: readonly Rating[] = []): Lab {
  const config = plugin.config.parse({}) as { readonly seed: number };
  return new Lab(plugin, config, { scale, budgetMiB: BUDGET_MIB, before });
}

function teach(lab: Lab, ratings: Ratings, { from, to }: Period): Float64Array {
  const squared = new Float64Array(to - from);
  for (let place = from; place < to; place++) {
    lab.teach(ratingAt(ratings, place));
    squared[place - from] = (ratings.value[place] - lab.expected) ** 2;
  }
  return squared;
}

const SEED = 1;

async function refit(lab: Lab): Promise<number> {
  const before = process.cpuUsage();
  for await (const _ of lab.model.refit(SEED));
  return secondsSince(before);
}

function secondsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

function ratingAt({ user, item, value, time }: Ratings, place: number): Rating {
  return { user: `${user[place]}`, item: `${item[place]}`, value: value[place], time: time[place] };
}
