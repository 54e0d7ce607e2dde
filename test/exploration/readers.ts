import { configSchema } from '../../server/config/schema.ts';
import { resolveModels } from '../../server/models/plugins.ts';
import type { Ranked } from '../../server/serving/ranking.ts';
import type { Ratings } from '../data.ts';
import { Lab } from '../laws/lab.ts';
import type { Reader } from './click-trial.ts';

/**
 * Readers from real ratings: models learn the earlier half of what each user rated, and rank all else for them. What the
 * user rated later says what would attract: items that got four fifths of the scale or more are clicked on with `LIKED` when
 * they are looked at, other rated ones with `RATED`, and all else with `UNRATED`.
 */
const LIKED = 0.6;
const RATED = 0.1;
const UNRATED = 0.02;

/** How many of the best are kept of each ranking: enough for a list of a tenth of them. */
const RANKED = 400;
/** A user comes once for so many later ratings, at most so often. */
const RATINGS_PER_VISIT = 5;
const VISITS_MAX = 50;
const BUDGET_MIB = 512;

export async function readersOf(ratings: Ratings, models: readonly string[]): Promise<Reader[]> {
  const { early, late } = halves(ratings);
  const byModel = new Map<string, Map<number, Ranked[]>>();
  for (const model of models) byModel.set(model, await rankingsBy(model, early, ratings));
  const most = ratings.value.reduce((a, b) => Math.max(a, b), 0);
  return [...late].flatMap(([user, rated]) => {
    const rankings = Object.fromEntries(models.map((model) => [model, byModel.get(model)?.get(user) ?? []]));
    if (Object.values(rankings).some(({ length }) => length < RANKED)) return [];
    const given = new Map(rated.map((n) => [ratings.item[n], ratings.value[n]]));
    const attraction = (item: number) => {
      const value = given.get(item);
      return value === undefined ? UNRATED : value >= 0.8 * most ? LIKED : RATED;
    };
    const visits = Math.min(VISITS_MAX, Math.ceil(rated.length / RATINGS_PER_VISIT));
    return [{ rankings, attraction, visits }];
  });
}

/** Places of the ratings of each user, the earlier and the later ones; in the order of all. */
function halves({ count, user }: Ratings) {
  const own = Map.groupBy(
    Array.from({ length: count }, (_, n) => n),
    (n) => user[n],
  );
  const late = new Map([...own].map(([id, places]) => [id, places.slice(places.length >>> 1)]));
  const early = [...own.values()].flatMap((places) => places.slice(0, places.length >>> 1)).sort((a, b) => a - b);
  return { early, late };
}

/** By user; the rows of items are their numbers in the set. */
async function rankingsBy(model: string, places: readonly number[], ratings: Ratings): Promise<Map<number, Ranked[]>> {
  const all = await resolveModels(configSchema.parse({}).models);
  const resolved = all.find(({ spec }) => spec.name === model);
  if (!resolved) throw new RangeError(`there is no model ${model} by default`);
  const lab = new Lab(resolved.plugin, resolved.spec.config, { budgetMiB: BUDGET_MIB });
  let time = 0;
  for (const n of places) {
    const [user, item] = [`${ratings.user[n]}`, `${ratings.item[n]}`];
    time = Math.max(time, ratings.time[n]);
    lab.teach({ user, item, value: ratings.value[n], time: ratings.time[n] });
  }
  const seen = Map.groupBy(places, (n) => ratings.user[n]);
  const rankings = new Map<number, Ranked[]>();
  for (const [user, own] of seen) {
    const rated = new Set(own.map((n) => lab.itemRow(`${ratings.item[n]}`)));
    const last = ratings.time[own.at(-1) ?? 0];
    const scores = lab.score(lab.userRow(`${user}`), [0, lab.model.items], last);
    const best = Array.from(scores, (score, row) => ({ row, score })).filter(({ row }) => !rated.has(row));
    best.sort((a, b) => b.score - a.score || a.row - b.row);
    const ids = best.slice(0, RANKED).map(({ row, score }) => ({ row: Number(lab.world.items.text(row)), score }));
    rankings.set(user, ids);
  }
  return rankings;
}
