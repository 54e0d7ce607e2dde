import { choose, find100k, type Ratings } from '../../data.ts';
import type { ServerProcess } from '../../support/server-process.ts';
import { withServer } from '../server.ts';
import { lastTimes, squaredErrors } from './ask.ts';
import { type Bench, configOf, ML_100K, ML_SMALL, PLAIN, PREDICTING, setsOf } from './cases.ts';
import { type Estimate, errorsOf } from './estimate.ts';
import { fuse, learn } from './learning.ts';
import { FOLD_TARGETS, PARTS } from './references.ts';

/**
 * The folds that come with ml-100k: a server learns four fifths as a stream, every model that can be is refitted, and then all
 * are asked for the last fifth, as of when its user was last seen, and learn nothing of it. As publications have it, a figure
 * is the mean of those of the five folds; its interval is as wide as that of all errors together.
 */

const REFITTED = ['mf', PLAIN, 'item-cf', 'ncf'];
const ASKED = PREDICTING.filter((name) => name !== 'user-cf');
const FOLDS = [1, 2, 3, 4, 5];

interface Fold {
  readonly base: Ratings;
  readonly test: Ratings;
}

/** Squared errors of a model, by fold. */
type Errors = { readonly user: Uint32Array; readonly squared: Float64Array }[];

export async function measureFolds(bench: Bench): Promise<void> {
  const { sheet, first } = bench;
  const folds = findFolds(bench);
  if (folds.length === 0) return;
  const { set, scale } = first === undefined ? ML_100K : ML_SMALL;
  const part = PARTS.folds(set);
  sheet.report.heading(part);
  const errors = new Map(ASKED.map((name): [string, Errors] => [name, []]));
  for (const [n, fold] of folds.entries()) {
    await withServer(configOf(scale), async (server) => {
      for await (const { model, squared } of ask(bench, server, fold))
        errors.get(model)?.push({ user: fold.test.user, squared });
    });
    bench.advance((n + 1) / folds.length);
  }
  const means = [...errors].map(([name, all]) => [name, meanOf(all)] as const);
  for (const [metric, target] of Object.entries(FOLD_TARGETS)) {
    const best = means.reduce((one, other) => (other[1][metric].value < one[1][metric].value ? other : one));
    if (first === undefined) Object.assign(best[1][metric], { target });
  }
  for (const [name, figures] of means) sheet.add(part, name, figures);
}

function findFolds(bench: Bench): Fold[] {
  if (bench.first !== undefined) {
    // One fold of what there is: every fifth rating.
    return [...setsOf(bench, [ML_SMALL])].map(({ ratings }) => ({
      base: choose(ratings, (place) => place % 5 !== 0),
      test: choose(ratings, (place) => place % 5 === 0),
    }));
  }
  if (!bench.sets.includes(ML_100K)) return [];
  const found = FOLDS.map((fold) => [find100k(`u${fold}.base`), find100k(`u${fold}.test`)]);
  const missing = found.flat().find(({ skip }) => skip);
  if (missing) bench.sheet.report.note(String(missing.skip));
  return found.flatMap(([base, test]) =>
    base.ratings && test.ratings ? [{ base: base.ratings, test: test.ratings }] : [],
  );
}

async function* ask(bench: Bench, server: ServerProcess, { base, test }: Fold) {
  await learn(server, base);
  for (const model of REFITTED) await fuse(bench.sheet.report, server.client, { model });
  const timeOf = lastTimes(base);
  for (const model of ASKED) yield { model, squared: await squaredErrors(server.client, test, timeOf, model) };
}

function meanOf(folds: Errors): Record<string, Estimate> {
  const each = folds.map(({ user, squared }) => errorsOf(user, squared));
  const user = folds.flatMap((fold) => [...fold.user]);
  const all = errorsOf(user, Float64Array.from(folds.flatMap((fold) => [...fold.squared])));
  return Object.fromEntries(
    Object.entries(all).map(([metric, { value: pooled, interval }]) => {
      const value = each.reduce((sum, found) => sum + found[metric].value, 0) / each.length;
      return [metric, { value, interval: interval && [interval[0] + value - pooled, interval[1] + value - pooled] }];
    }),
  );
}
