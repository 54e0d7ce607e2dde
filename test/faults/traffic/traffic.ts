import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ServiceError, status } from '@grpc/grpc-js';
import type { Rating } from '../../../proto/gen/accrete/v1/rating.ts';
import { RateStreamRequest } from '../../../proto/gen/accrete/v1/recommender.ts';
import type { Client } from '../../support/client.ts';
import { rating } from '../../support/ratings.ts';
import { readFailure } from '../../support/status.ts';
import type { Ledger, Sent } from './ledger.ts';

/** Many clients that rate, edit, take back and click, in single calls, batches and streams, until the server is gone. */

const USERS = 40;
const ITEMS = 60;
/** Requests of one stream without an answer. */
const WINDOW = 48;
/** Refusals after which nobody knows what became of a request: it is left open, and the client goes on. */
const PASSING = new Set(['APPEND_FAILED', 'DISK_FULL', 'QUEUE_FULL']);
const PAUSE_MS = 20;
/** One rating in so many is the guest's. */
const GUEST_EVERY = 30;

/** A server, or a way to it. */
interface Connectable {
  connect(): Client;
}

interface TrafficOptions {
  /** No events: their kinds are not configured. */
  readonly ratingsAlone?: boolean;
  /** The server ends by itself: INTERNAL is its last word. */
  readonly dying?: boolean;
  /** Half of the ratings are of so many items more: then most of them are first ones. */
  readonly moreItems?: number;
  /** Who rates now and then, besides the users; undefined: nobody. */
  readonly guest?: () => string | undefined;
  /** Each client pauses so long after each answer, so that the machine has time for what runs beside the stream. */
  readonly pauseMs?: number;
}

export class Traffic {
  /** Resolves when all clients have ended; rejects with what no client should have met. */
  readonly done: Promise<unknown>;
  readonly #ledger: Ledger;
  readonly #random: () => number;
  readonly #options: TrafficOptions;
  #over = false;
  /** Refusals by their reason. */
  readonly refusals: Record<string, number> = {};

  constructor(server: Connectable, ledger: Ledger, random: () => number, options: TrafficOptions = {}) {
    this.#options = options;
    this.#ledger = ledger;
    this.#random = random;
    const clients = Array.from({ length: 6 }, () => server.connect());
    const [one, two, three, batches, stream, wide] = clients;
    this.done = Promise.all([
      ...[one, two, three].map((client) => this.#call(client, 1)),
      this.#call(batches, 300),
      this.#stream(stream, 3),
      this.#stream(wide, 40),
      this.#recommend(one),
    ]).finally(() => {
      for (const client of clients) client.close();
    });
    this.done.catch(() => {});
  }

  /** Lets all clients finish what they have begun. */
  async end(): Promise<void> {
    this.#over = true;
    await this.done;
  }

  /** Calls with `ratings` ratings each, one after the other. */
  async #call(client: Client, ratings: number): Promise<void> {
    await this.#untilOver(async () => {
      const sent = this.#send(ratings);
      const { requestId } = sent;
      this.#ledger.acknowledge(sent, await client.rate([...sent.ratings], { requestId }));
      await this.#pause();
    });
  }

  async #stream(client: Client, ratingsMax: number): Promise<void> {
    await this.#untilOver(async () => {
      const stream = client.rateStream();
      const waiting: Sent[] = [];
      const note = (answer: Awaited<ReturnType<typeof stream.next>>) => {
        assert(answer && !answer.error, `a request of a stream was refused: ${answer?.error?.message}`);
        this.#ledger.acknowledge(waiting.shift() as Sent, answer);
      };
      while (!this.#over) {
        while (waiting.length < WINDOW) {
          const sent = this.#send(1 + Math.floor(this.#random() * ratingsMax));
          waiting.push(sent);
          stream.send(requestOf(sent));
        }
        note(await stream.next());
        await this.#pause();
      }
      for (const answer of await stream.finish()) note(answer);
      assert.equal(waiting.length, 0, 'a stream ended before all its answers came');
    });
  }

  async #recommend(client: Client): Promise<void> {
    await this.#untilOver(async () => {
      await client.recommend(`user-${Math.floor(this.#random() * USERS)}`);
      await sleep(PAUSE_MS);
    });
  }

  async #pause(): Promise<void> {
    const { pauseMs = 0 } = this.#options;
    if (pauseMs > 0) await sleep(pauseMs);
  }

  /** Goes on after refusals that pass; ends when the server is gone. */
  async #untilOver(act: () => Promise<void>): Promise<void> {
    while (!this.#over) {
      try {
        await act();
      } catch (error) {
        const reason = reasonOf(error);
        if (reason === GONE || (reason === 'INTERNAL' && this.#options.dying)) return;
        if (!PASSING.has(reason)) throw error;
        this.refusals[reason] = (this.refusals[reason] ?? 0) + 1;
        await sleep(PAUSE_MS);
      }
    }
  }

  #send(count: number): Sent {
    return this.#ledger.send(Array.from({ length: count }, () => this.#draw()));
  }

  #draw(): Rating {
    const draw = (count: number) => Math.floor(this.#random() * count);
    const { moreItems = 0, guest } = this.#options;
    const userId = (draw(GUEST_EVERY) === 0 && guest?.()) || `user-${draw(USERS)}`;
    const isMore = moreItems > 0 && draw(2) === 0;
    const itemId = isMore ? `more-${draw(moreItems)}` : `item-${Math.floor(ITEMS * this.#random() ** 2)}`;
    const choice = this.#random();
    const kind = choice < 0.8 || this.#options.ratingsAlone ? '' : ['click', 'buy'][draw(2)];
    const retract = this.#random() < 0.12;
    const value = retract || (kind !== '' && draw(2) === 0) ? undefined : 1 + draw(9) / 2;
    // Halves and quarters are exact in every format that they pass through.
    return rating(userId, itemId, value, {
      kind,
      retract,
      weight: draw(4) === 0 ? draw(9) / 4 : undefined,
      eventTime: draw(5) === 0 ? undefined : { seconds: BigInt(1_600_000_000 + draw(1e8)), nanos: 1000 * draw(1e6) },
      recommendationId: choice < 0.5 ? `list-${draw(1e9)}`.padEnd(64, '.') : '',
    });
  }
}

export function requestOf({ requestId, ratings }: Sent): RateStreamRequest {
  return RateStreamRequest.fromPartial({ requestId, ratings: [...ratings] });
}

export const GONE = 'gone';

/** The reason of a refusal, or `GONE`; throws what is none. */
export function reasonOf(error: unknown): string {
  const { code, metadata } = error as ServiceError;
  if (!metadata) throw error;
  if (metadata.get('grpc-status-details-bin').length === 0) {
    // It comes from the client's own side: the connection broke, or cannot be made.
    if (code === status.UNAVAILABLE || code === status.CANCELLED) return GONE;
    throw error;
  }
  const { reason } = readFailure(error);
  if (reason === 'DRAINING') return GONE;
  return reason;
}
