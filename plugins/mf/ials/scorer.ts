import type { Contribution, ScoreContext, Scorer } from '../../contract/index.ts';
import type { MfConfig } from '../config.ts';
import type { MfKernels } from '../kernels.ts';
import { NOWHERE } from '../predictor.ts';
import { vectorScorer } from '../scorer.ts';
import { type Asked, eachStretch } from '../stretches.ts';
import type { MfTables } from '../tables.ts';
import { Fold } from './fold.ts';

/**
 * Ranks by <p, q_i>, p solved when it is asked for (`fold.ts`). So a session is a user of whom nothing else is known, and a
 * score is a sum over what p comes from (Hu, Koren & Volinsky 2008). Who did nothing yet is shown what is popular.
 */
export function ialsScorer(context: ScoreContext<MfConfig, MfTables, MfKernels>): Scorer {
  const { config, tables, memory, kernels } = context;
  const { items } = tables;
  const vectorOf = items.column('vector');
  const rankOf = items.column('rank');
  const knownOf = items.column('known');
  const fold = new Fold(context);

  /** Items without positives have 0. */
  const rankFolded = (asked: Asked) =>
    eachStretch(items, asked, (row, count, out) =>
      kernels.scaledScores(fold.at, vectorOf(row), knownOf(row), items.stride, config.k, count, out),
    );
  const rankPopular = (asked: Asked) =>
    eachStretch(items, asked, (row, count, out) =>
      kernels.scores(NOWHERE, NOWHERE, rankOf(row), items.stride, 0, count, out),
    );
  const { similar, vectors } = vectorScorer(context, () => {});

  return {
    similar,
    vectors,

    score({ user }, ...asked) {
      if (fold.ofUser(user)) rankFolded(asked);
      else rankPopular(asked);
    },

    session({ items: seen }, ...asked) {
      fold.ofItems(seen);
      rankFolded(asked);
    },

    /** Of the shares those of ratings by themselves, and those of other events in one. */
    explain({ user }, item) {
      if (!fold.ofUser(user)) return [{ term: 'popularity', value: memory.f32[rankOf(item) >>> 2] }];
      const known = memory.f32[knownOf(item) >>> 2];
      const parts: Contribution[] = [];
      let events = 0;
      for (const [n, value] of fold.split(item).entries()) {
        const { item: rated, isRating } = fold.shares[n];
        if (isRating) parts.push({ item: rated, value: known * value });
        else events += known * value;
      }
      if (events !== 0) parts.push({ term: 'events', value: events });
      return parts.sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
    },
  };
}
