import { unitKey } from '../../allocation/unit-key.ts';
import { type AccreteError, invalidField } from '../../errors.ts';
import type { Events } from '../../memory/events.ts';
import type { Kinds } from '../../memory/kinds.ts';
import { parseRecommendationId } from '../../memory/ledger/recommendation-id.ts';
import { type Exposure, NO_ITEM } from '../../store/exposure-codec.ts';
import { type RatingBatch, RETRACT } from '../../store/rating-batch.ts';

/** Items that were shown in places of exploring answers; each is kept until the end. */
export const PLACES_MAX = 2_000_000;

/** An answer that is kept: where its places begin among all. */
interface Kept {
  readonly first: number;
  readonly items: ArrayLike<number>;
  /** Whom it was for: see `Exposure`. */
  readonly user: bigint;
}

/** What exploring answers showed, place by place, and what was clicked on of it. */
export class Logged {
  readonly unit: number[] = [];
  readonly item: number[] = [];
  readonly propensity: number[] = [];
  readonly reward: number[] = [];
  readonly #store: number;
  readonly #answers = new Map<string, Kept>();
  readonly #units = new Map<bigint, number>();

  /** `store`: by which ids of this store are told from others. */
  constructor(store: number) {
    this.#store = store;
  }

  get places(): number {
    return this.unit.length;
  }

  /**
   * Places of an answer; false when it does not tell how its items were drawn: they were not, or it was given to someone who is
   * forgotten. Throws INVALID_FIELD beyond `PLACES_MAX`.
   */
  expose(run: number, { sequence, experiment, unit, user, items, propensities }: Exposure): boolean {
    if (!propensities || !Array.prototype.every.call(propensities, (chance) => chance > 0)) return false;
    if (this.places + items.length > PLACES_MAX) throw tooMany();
    const known = this.#units.get(unit);
    const own = known ?? this.#units.size;
    if (known === undefined) this.#units.set(unit, own);
    this.#answers.set(keyOf(run, experiment, sequence), { first: this.places, items, user });
    for (let place = 0; place < items.length; place++) {
      this.unit.push(own);
      this.item.push(items[place]);
      this.propensity.push(propensities[place]);
      this.reward.push(0);
    }
    return true;
  }

  /** Whatever the user who was answered says of an item that was shown, naming the answer, is a click on it. */
  credit(
    batch: RatingBatch,
    n: number,
    itemOf: (n: number) => number,
    { events, kinds }: { readonly events: Events; readonly kinds: Kinds },
  ): void {
    const length = batch.recommendationLength[n];
    if (length === 0 || (batch.flags[n] & RETRACT) !== 0) return;
    const id = parseRecommendationId(batch.text(batch.recommendationStart[n], length), this.#store);
    const kept = id && this.#answers.get(keyOf(id.run, id.experiment, id.sequence));
    if (!kept || !isFor(kept, batch, n)) return;
    const kind = { bytes: batch.bytes, start: batch.kindStart[n], length: batch.kindLength[n], namespace: 0 };
    const kindRow = kind.length === 0 ? 0 : events.findKind(kind);
    if (kindRow > 0 && kinds.of(kindRow).exposure) return;
    const item = itemOf(n);
    const place = Array.prototype.indexOf.call(kept.items, item);
    if (item !== NO_ITEM && place >= 0) this.reward[kept.first + place] = 1;
  }
}

const keyOf = (run: number, experiment: number, sequence: number) => `${run}:${experiment}:${sequence}`;

/** What others say who name an answer is no outcome of it, as in experiments. */
function isFor({ user }: Kept, { bytes, userStart, userLength }: RatingBatch, n: number): boolean {
  return user === 0n || user === unitKey(bytes.subarray(userStart[n], userStart[n] + userLength[n]));
}

function tooMany(): AccreteError {
  const most = PLACES_MAX.toLocaleString('en-US');
  return invalidField('window', `has more than ${most} items that were drawn: name a shorter one`);
}
