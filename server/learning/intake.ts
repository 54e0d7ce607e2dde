import { AccreteError } from '../errors.ts';
import { ANSWER, ASK } from '../exchange/messages.ts';
import type { Counters } from '../memory/counters.ts';
import { revisionText } from '../memory/revisions.ts';
import type { Ring, RingMessage } from '../memory/ring.ts';
import { DEFAULT_NAMESPACE, type WritableWorld } from '../memory/world.ts';
import type { WritableModel } from '../models/writable-model.ts';
import { countExposures } from '../store/exposure-codec.ts';
import { encodeRateResponse, type RateAnswer } from '../store/rate-response.ts';
import { RatingBatch } from '../store/rating-batch.ts';
import { decodeRateRequest } from '../store/rating-codec.ts';
import type { RatingRules } from '../store/rating-rules.ts';
import { encodeRecord } from '../store/record.ts';
import type { Load, Room } from './room.ts';

/**
 * Takes rating requests off the rings: decodes, checks, recognises retries, and gives each accepted one its revision.
 * Nothing is learned here, so nothing has to be taken back when the disk refuses.
 */

/** The rings from and to one serving thread. */
export interface Lane {
  readonly asks: Ring;
  readonly answers: Ring;
}

interface Caller {
  readonly lane: Lane;
  readonly call: number;
  /** Whether the times of the steps are wanted. */
  readonly traced: boolean;
  /** When it was taken off the ring, in milliseconds since 1970: for ratings the time of receipt. */
  readonly takenMs: number;
}

/** A request whose answer is known: refused, a duplicate, or only to be validated. It waits for those before it. */
export interface Settled extends Caller {
  readonly type: 'settled';
  readonly answer: number;
  readonly payload: Uint8Array;
}

/** A request whose ratings, or exposures, are to be made durable and learned. */
export interface Accepted extends Caller {
  readonly type: 'accepted';
  readonly what: 'ratings' | 'exposures';
  readonly revision: number;
  readonly record: Uint8Array;
  readonly requestId: string;
  readonly ratings: number;
  /** What they may ask of the memory. */
  readonly load: Load;
  /** Positions, among the models, of those whose predictions are wanted. */
  readonly predictionsOf: readonly number[];
}

export type Entry = Settled | Accepted;

/** Anything but ratings: examined when all that came before it is learned. */
export interface Asked extends Caller {
  /** One of `ASK`. */
  readonly kind: number;
  readonly payload: Uint8Array;
}

/** One append takes at most so much: it bounds how long the first of it waits, and what is in flight. */
const GROUP_MAX = { requests: 1024, ratings: 20_000, bytes: 4 * 1024 * 1024 } as const;

interface Pending {
  readonly revision: number;
  readonly accepted: number;
  readonly digest: Uint8Array;
}

export interface IntakeParts {
  readonly lanes: readonly Lane[];
  readonly rules: RatingRules;
  readonly ratingsMax: number;
  readonly world: WritableWorld;
  /** Those that learn now. */
  readonly models: () => readonly WritableModel[];
  readonly room: Room;
  readonly counters: Counters;
  /** Hears of failures that nobody expected, with what caused them. */
  readonly onFault: (error: unknown) => void;
}

export class Intake {
  readonly #parts: IntakeParts;
  /** Accepted and not yet learned, by request id. */
  readonly #pending = new Map<string, Pending>();
  readonly #batch: RatingBatch;

  constructor(parts: IntakeParts) {
    this.#parts = parts;
    this.#batch = new RatingBatch(parts.ratingsMax);
  }

  /** The first ask that is no rating request and that no rating request of its ring is before; taken off its ring. */
  takeAsked(): Asked | undefined {
    for (const lane of this.#parts.lanes) {
      const message = lane.asks.peek();
      if (!message || isRating(message)) continue;
      const { call, kind } = message;
      const payload = Buffer.from(message.payload);
      lane.asks.pop();
      return { lane, call, kind, payload, traced: false, takenMs: Date.now() };
    }
    return undefined;
  }

  /** The rating requests that wait on the rings, up to a group; the first accepted request gets revision `nextRevision`. */
  take(nextRevision: number): Entry[] {
    const entries: Entry[] = [];
    let revision = nextRevision;
    let ratings = 0;
    let bytes = 0;
    for (const lane of this.#parts.lanes) {
      for (let message = lane.asks.peek(); message && isRating(message); message = lane.asks.peek()) {
        const entry =
          message.kind === ASK.exposures
            ? this.#examineExposures(lane, message, revision)
            : this.#examine(lane, message, revision);
        lane.asks.pop();
        entries.push(entry);
        if (entry.type === 'accepted') {
          revision++;
          ratings += entry.ratings;
          bytes += entry.record.byteLength;
        }
        if (entries.length >= GROUP_MAX.requests || ratings >= GROUP_MAX.ratings || bytes >= GROUP_MAX.bytes)
          return entries;
      }
    }
    return entries;
  }

  /** Called when an entry was learned, or will not be. */
  release(entry: Accepted): void {
    this.#parts.room.give(entry.load);
    this.#pending.delete(entry.requestId);
  }

  #examine(lane: Lane, message: RingMessage, revision: number): Entry {
    const { counters, room, onFault } = this.#parts;
    const caller = { lane, call: message.call, traced: message.kind === ASK.tracedRate, takenMs: Date.now() };
    const batch = this.#batch;
    try {
      decodeRateRequest(message.payload, batch);
      this.#requireValid(batch, caller.takenMs);
      const first = this.#findFirst(batch, caller.takenMs);
      if (first) {
        counters.add('requestsDuplicate', 1);
        return settle(caller, {
          revision: revisionText(first.revision),
          acceptedCount: first.accepted,
          duplicate: true,
        });
      }
      const predictionsOf = batch.returnPredictions.map((name) => this.#requirePredicting(name));
      const load = room.require(batch);
      if (batch.validateOnly) return settle(caller, { revision: '', acceptedCount: batch.count, duplicate: false });
      const record = encodeRecord({
        type: 'ratings',
        receivedAtMs: caller.takenMs,
        namespace: '',
        payload: message.payload,
      });
      room.take(load);
      this.#remember(batch, revision);
      const { requestId, count: ratings } = batch;
      return {
        type: 'accepted',
        what: 'ratings',
        ...caller,
        revision,
        record,
        requestId,
        ratings,
        load,
        predictionsOf,
      };
    } catch (error) {
      counters.add('requestsRefused', 1);
      counters.add('ratingsRefused', batch.count);
      const refusal = AccreteError.wrap(error);
      if (refusal.reason === 'INTERNAL') onFault(error);
      const payload = Buffer.from(JSON.stringify(refusal));
      return { type: 'settled', ...caller, answer: ANSWER.refused, payload };
    }
  }

  /** They were made by this process, so they are what they should be. */
  #examineExposures(lane: Lane, { call, payload }: RingMessage, revision: number): Entry {
    const { room } = this.#parts;
    const takenMs = Date.now();
    const caller = { lane, call, traced: false, takenMs };
    try {
      const load = room.requireExposures(countExposures(payload));
      const record = encodeRecord({ type: 'exposures', receivedAtMs: takenMs, namespace: '', payload });
      room.take(load);
      const nothing = { requestId: '', ratings: 0, predictionsOf: [] };
      return { type: 'accepted', what: 'exposures', ...caller, revision, record, load, ...nothing };
    } catch (error) {
      const refusal = AccreteError.wrap(error);
      return { type: 'settled', ...caller, answer: ANSWER.refused, payload: Buffer.from(JSON.stringify(refusal)) };
    }
  }

  #requireValid(batch: RatingBatch, nowMs: number): void {
    const { list: violations, count: violationCount } = this.#parts.rules.findViolations(batch, nowMs);
    if (violationCount === 0) return;
    const [{ field, description }] = violations;
    const more = violationCount > 1 ? ` (and ${violationCount - 1} more violations)` : '';
    const message = `${field} ${description}${more}; nothing of the batch was learned`;
    throw new AccreteError('INVALID_FIELD', message, { violations, violationCount });
  }

  /** What became of an earlier request with the same id. */
  #findFirst(batch: RatingBatch, nowMs: number): Pending | undefined {
    if (batch.requestIdLength === 0) return undefined;
    const id = batch.requestId;
    const key = { id: Buffer.from(id), namespace: DEFAULT_NAMESPACE };
    const first = this.#pending.get(id) ?? this.#parts.world.requestIds.find(key, nowMs);
    if (!first) return undefined;
    if (Buffer.compare(first.digest, batch.digest()) === 0) return first;
    throw new AccreteError(
      'REQUEST_ID_REUSED',
      `request_id ${id} was used before, with other ratings: use a new one for new ratings`,
      {
        metadata: { request_id: id, revision: revisionText(first.revision) },
      },
    );
  }

  #requirePredicting(name: string): number {
    const models = this.#parts.models();
    const position = models.findIndex((model) => model.name === name);
    if (position < 0) {
      const names = models.map((model) => model.name).join(', ');
      throw new AccreteError(
        'MODEL_NOT_FOUND',
        `return_predictions names ${JSON.stringify(name)}; loaded are ${names}`,
        { metadata: { model: name } },
      );
    }
    const model = models[position];
    if (!model.predicts) {
      throw new AccreteError(
        'CAPABILITY_MISSING',
        `Model ${name} ranks and does not predict ratings: leave it out of return_predictions`,
        { metadata: { model: name, capability: 'predict' } },
      );
    }
    if (model.prequential.quarantinedAt > 0) {
      throw new AccreteError(
        'MODEL_FAILED',
        `Model ${name} stopped learning at revision ${model.prequential.quarantinedAt}`,
        { metadata: { model: name } },
      );
    }
    return position;
  }

  #remember(batch: RatingBatch, revision: number): void {
    const { count: accepted, requestId } = batch;
    if (requestId !== '') this.#pending.set(requestId, { revision, accepted, digest: batch.digest() });
  }
}

/** Exposures go with the ratings around them. */
function isRating({ kind }: RingMessage): boolean {
  return kind === ASK.rate || kind === ASK.tracedRate || kind === ASK.exposures;
}

/** The answer to a request of which nothing has to be learned. */
function settle(caller: Caller, answer: Omit<RateAnswer, 'predictions'>): Settled {
  const payload = encodeRateResponse({ ...answer, predictions: [] });
  return { type: 'settled', ...caller, answer: ANSWER.accepted, payload };
}
