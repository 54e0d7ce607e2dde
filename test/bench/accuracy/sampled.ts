import { Random } from '../../../plugins/contract/index.ts';
import { choose, type Ratings } from '../../data.ts';
import type { Client } from '../../support/client.ts';
import { findMissingImplicit, IMPLICIT, lastOfEach, runImplicit } from '../implicit-models.ts';
import { requireConfigHash, withServer } from '../server.ts';
import { inTurn, listFor, placeIn } from './ask.ts';
import { type Bench, configOf, ML_1M, MODELS, setsOf } from './cases.ts';
import { type Estimate, ranksOf } from './estimate.ts';
import { BY_RANKING, fuse, learn } from './learning.ts';
import { PARTS } from './references.ts';

/**
 * The protocol of He et al. 2017: what each user rated last, ranked beside 99 items drawn from all that the user never rated, by
 * models that learned the rest and were refitted. Beside them those of implicit, in the same run, of the same items.
 */

const NEGATIVES = 99;
const SEED = 1;
/** A guard by rankings needs some. */
const RANK_EVERY = 10;

/** What ranks: all of a fresh server, and what learns from who rated what, whatever the values. */
const FEEDBACK = { name: 'ials', plugin: 'mf', config: { objective: 'ials' } };
const SUBJECTS = [...MODELS.filter(({ name }) => ['stack', 'mf', 'item-cf', 'popularity'].includes(name)), FEEDBACK];
const REFITTED = ['mf', 'item-cf', FEEDBACK.name];

export async function measureSampled(bench: Bench): Promise<void> {
  for (const { set, scale, ratings } of setsOf(bench, [ML_1M])) {
    const part = PARTS.sampled(set);
    bench.sheet.report.heading(part);
    const held = [...lastOfEach(ratings)];
    const beside = drawBeside(ratings, held);
    const best = bench.first === undefined ? measureImplicit(bench, part, ratings, beside) : {};
    bench.advance(0.2);
    const models = [...SUBJECTS, ...MODELS.filter(({ name }) => name === 'biases')];
    await withServer(
      configOf(scale, { models, defaultModel: 'stack', evaluation: { rankEvery: RANK_EVERY } }),
      async (server) => {
        const isHeld = new Set(held);
        const rest = choose(ratings, (place) => !isHeld.has(place));
        await learn(server, rest, (count) => bench.advance(0.2 + (0.3 * count) / rest.count));
        for (const [n, model] of REFITTED.entries()) {
          const guard = model === FEEDBACK.name ? { guard: BY_RANKING } : {};
          const seconds = await fuse(bench.sheet.report, server.client, { model, ...guard });
          if (seconds !== undefined)
            bench.sheet.report.add({ part, name: `${model}: REFIT`, value: seconds, unit: 's' });
          bench.advance(0.5 + (0.3 * (n + 1)) / REFITTED.length);
        }
        for (const { name } of SUBJECTS) {
          const found = await rank(server.client, ratings, held, beside, name);
          bench.sheet.add(
            part,
            name,
            name === 'stack' ? against(found, best) : found,
            await requireConfigHash(server, name),
          );
        }
      },
    );
    bench.advance(1);
  }
}

/** The best that implicit came to, by metric. */
type Best = Readonly<Record<string, number>>;

function measureImplicit(bench: Bench, part: string, ratings: Ratings, beside: Map<number, number[]>): Best {
  const { report } = bench.sheet;
  const missing = findMissingImplicit();
  if (missing) {
    report.note(missing);
    return {};
  }
  const user = [...lastOfEach(ratings)].sort((a, b) => a - b).map((place) => ratings.user[place]);
  const best: Record<string, number> = {};
  for (const [name, { places, seconds }] of Object.entries(runImplicit(ratings, beside))) {
    const found = ranksOf(
      user,
      places.map((place) => (place < 0 ? Number.POSITIVE_INFINITY : place)),
    );
    bench.sheet.add(part, `${IMPLICIT} ${name}`, found);
    report.add({ part, name: `${IMPLICIT} ${name}: CPU of learning`, value: seconds, unit: 's' });
    for (const [metric, { value }] of Object.entries(found)) best[metric] = Math.max(best[metric] ?? 0, value);
  }
  return best;
}

function against(found: Readonly<Record<string, Estimate>>, best: Best) {
  return Object.fromEntries(
    Object.entries(found).map(([metric, each]) => [
      metric,
      metric in best ? { ...each, target: { atLeast: best[metric] } } : each,
    ]),
  );
}

/** By user, items that the user never rated. */
function drawBeside({ user, item, count }: Ratings, held: readonly number[]): Map<number, number[]> {
  const items = [...new Set(item)];
  const own = new Map<number, Set<number>>();
  for (let n = 0; n < count; n++) own.set(user[n], (own.get(user[n]) ?? new Set()).add(item[n]));
  const random = new Random();
  random.key(SEED, 0);
  return new Map(
    held.map((place) => {
      const left = Uint32Array.from(items.filter((each) => !own.get(user[place])?.has(each)));
      const drawn = Array.from({ length: Math.min(NEGATIVES, left.length) }, (_, n) => random.take(left, n));
      return [user[place], drawn];
    }),
  );
}

async function rank(
  client: Client,
  { user, item, time }: Ratings,
  held: readonly number[],
  beside: Map<number, number[]>,
  model: string,
): Promise<Record<string, Estimate>> {
  const places = new Array<number>(held.length);
  await inTurn([...held.entries()], async ([n, at]) => {
    const candidates = [...(beside.get(user[at]) ?? []), item[at]];
    places[n] = placeIn(await listFor(client, user[at], { model, time: time[at] }, candidates), item[at]);
  });
  return ranksOf(
    held.map((at) => user[at]),
    places,
  );
}
