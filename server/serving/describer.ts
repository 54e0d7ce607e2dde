import { type Contribution, NO_ROW } from '../../plugins/contract/index.ts';
import type { Scale } from '../memory/scale.ts';
import type { World } from '../memory/world.ts';
import type { Model } from '../models/model.ts';
import type { Asker } from './answerer.ts';
import type { Ranked } from './ranking.ts';

/** How ranked items are told: their ids, the ratings that are expected, and where scores come from. */

export interface RecommendedItem {
  readonly itemId: string;
  readonly score: number;
  /** The rating expected, on the deployment's scale; absent where the model does not predict. */
  readonly predictedValue: number | undefined;
  /** What adds up to the score; absent unless asked for, and where the model does not tell. */
  readonly explanation: readonly NamedContribution[] | undefined;
  /** The fewest items whose ratings, if taken back, would drop it; empty unless asked for, and where that is not known. */
  readonly heldUpBy: readonly string[];
  /** The chance that it got its place; absent where the list was not drawn. */
  readonly propensity: number | undefined;
}

/** A summand of a score: of an item, or of a part of the model. */
export type NamedContribution =
  | { readonly itemId: string; readonly value: number }
  | { readonly term: string; readonly value: number };

/** What the host's own counts of ratings are called when they answer, since no model can. */
export const COUNTS_NAME = 'popularity';

export interface Telling {
  /** The model that was asked, which says what ratings it expects, also where another one ranks for it. */
  readonly asked: Model | undefined;
  readonly asker: Asker;
  /** The model that ranked; undefined: the counts did. */
  readonly answerer: Model | undefined;
  /** For whom it ranked. */
  readonly ranksFor: Asker;
  /** Of the request, in seconds since 1970. */
  readonly time: number;
  readonly explains: boolean;
  /** The items whose ratings hold one up in the answer. */
  readonly heldUpBy: (item: number) => readonly number[];
}

/** Inside `Reader.run`. */
export function describer({ world, scale }: { readonly world: World; readonly scale: Scale }, telling: Telling) {
  const predict = predictor(telling, scale);
  const explain = telling.explains ? explainer(telling) : () => undefined;
  const name = (part: Contribution): NamedContribution =>
    'term' in part ? part : { itemId: world.items.text(part.item), value: part.value };
  return {
    known: ({ row, score }: Ranked, propensity?: number): RecommendedItem => ({
      itemId: world.items.text(row),
      score,
      propensity,
      predictedValue: predict(row),
      explanation: explain(row, score)?.map(name),
      heldUpBy: telling.heldUpBy(row).map((item) => world.items.text(item)),
    }),
    /** An item that nobody knows; `propensity`: 1 where the list was drawn, since it comes last whatever that gave. */
    stranger: (itemId: string, score: number, propensity: number | undefined): RecommendedItem => ({
      itemId,
      score,
      propensity,
      predictedValue: predict(NO_ROW),
      explanation: undefined,
      heldUpBy: [],
    }),
  };
}

function predictor({ asked, asker, time }: Telling, scale: Scale): (item: number) => number | undefined {
  if (asker.type !== 'user' || !asked?.scorer.predict || asked.prequential.quarantinedAt > 0) return () => undefined;
  const { scorer, items } = asked;
  const query = { user: asked.user(asker.row), time };
  const expect = asked.scorer.predict.bind(scorer);
  return (item) => scale.toExternal(expect(query, item < items ? item : NO_ROW));
}

/** What adds up to the score of an item; undefined where that is not told. */
type Explain = (item: number, score: number) => readonly Contribution[] | undefined;

function explainer({ answerer, ranksFor, time }: Telling): Explain {
  if (!answerer) return (_item, score) => [{ term: COUNTS_NAME, value: score }];
  if (ranksFor.type === 'item') return (_item, score) => [{ item: ranksFor.row, value: score }];
  if (ranksFor.type === 'session' || !answerer.scorer.explain) return () => undefined;
  const query = { user: answerer.user(ranksFor.row), time };
  const explain = answerer.scorer.explain.bind(answerer.scorer);
  return (item) => explain(query, item);
}
