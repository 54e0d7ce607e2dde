import assert from 'node:assert/strict';
import type { Rating } from '../../../proto/gen/accrete/v1/rating.ts';
import type { RateResponse, RateStreamResponse } from '../../../proto/gen/accrete/v1/recommender.ts';

/** What clients have sent, and what they were told of it. */

/** A request, sent once or more. */
export interface Sent {
  readonly requestId: string;
  /** Less those of users who were forgotten. */
  ratings: readonly Rating[];
  /** Undefined while nobody has said that it was learned. */
  revision: string | undefined;
  /** Whether the server forgot the request, with someone whom it named: sent again, it would be another one. */
  isForgotten: boolean;
}

export class Ledger {
  readonly #prefix: string;
  /** All that was acknowledged, by revision. */
  readonly #acknowledged = new Map<string, Sent>();
  readonly #unknown = new Set<Sent>();
  #count = 0;

  /** `prefix` makes the request ids differ from those of other ledgers. */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  send(ratings: readonly Rating[]): Sent {
    const sent = { requestId: `${this.#prefix}-${this.#count++}`, ratings, revision: undefined, isForgotten: false };
    this.#unknown.add(sent);
    return sent;
  }

  /** Notes an answer, and that it agrees with those before it. */
  acknowledge(sent: Sent, { revision, acceptedCount, duplicate }: RateResponse | RateStreamResponse): void {
    assert.equal(acceptedCount, sent.ratings.length, `request ${sent.requestId}`);
    const known = sent.revision;
    if (known !== undefined) {
      assert.deepEqual([revision, duplicate], [known, true], `request ${sent.requestId} was answered twice`);
      return;
    }
    const other = this.#acknowledged.get(revision);
    assert(!other, `revision ${revision} was given to ${sent.requestId} and to ${other?.requestId}`);
    sent.revision = revision;
    this.#unknown.delete(sent);
    this.#acknowledged.set(revision, sent);
  }

  /** Nothing that a user did is expected to be there any more. */
  forget(userId: string): void {
    for (const [revision, sent] of this.#acknowledged) {
      const ratings = sent.ratings.filter((rating) => rating.userId !== userId);
      if (ratings.length === sent.ratings.length) continue;
      sent.ratings = ratings;
      sent.isForgotten = true;
      if (ratings.length === 0) this.#acknowledged.delete(revision);
    }
  }

  /** Requests that were sent and not acknowledged, in the order of sending. */
  get unknown(): readonly Sent[] {
    return [...this.#unknown];
  }

  get acknowledgedCount(): number {
    return this.#acknowledged.size;
  }

  /** In the order of their revisions, from a revision on. */
  acknowledged(from = ''): Sent[] {
    return [...this.#acknowledged.entries()]
      .filter(([revision]) => revision >= from)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([, sent]) => sent);
  }
}
