import { status } from '@grpc/grpc-js';
import { RateStreamResponse } from '../../proto/gen/accrete/v1/recommender.ts';
import { AccreteError, type ErrorReason } from '../errors.ts';
import { type LearnerAnswer, queueFull } from '../serving/learner-queue.ts';
import type { Gate, Serving } from '../serving/serving.ts';
import type { ObservedCall } from './call-telemetry.ts';
import { type RawDuplex, signalOf } from './calls.ts';
import type { RawDuplexMethod, RawUnaryMethod } from './service.ts';
import { serviceError, statusOf } from './status.ts';

/** Rate and RateStream: bytes go to the learner as they came, and its answers to the client as they are. */

/**
 * What of one stream waits for its answers, at most: then the stream is not read until some are answered. The bytes are
 * those of two groups of usual ratings; they bound what others wait for behind a stream, and what is kept for a client
 * that does not read its answers.
 */
const STREAM_WAITING_MAX = { requests: 256, bytes: 2 * 1024 * 1024 } as const;
/** Single calls that wait for the learner, of all clients: each costs some 10 KB, which the ring does not count. */
const CALLS_WAITING_MAX = 8192;
/** How long a stream waits for room in a full queue before it tries again. */
const QUEUE_RETRY_MS = 2;
/** Refusals that end a stream: the requests after such a one would fail too, or be learned out of order. */
const FATAL: ReadonlySet<ErrorReason> = new Set<ErrorReason>([
  'MALFORMED_MESSAGE',
  'APPEND_FAILED',
  'DISK_FULL',
  'DRAINING',
  'INTERNAL',
]);

/** `streams` holds the open streams, for the drain. */
export function rateMethods(
  gate: Gate,
  streams: Set<RateStream>,
): { rate: RawUnaryMethod; rateStream: RawDuplexMethod } {
  return {
    rate: {
      type: 'rawUnary',
      answer: async (request, call) => {
        const { queue } = await gate.enter(() => call.signal);
        const askedMs = now();
        const answer = await new Promise<LearnerAnswer>((resolve, reject) => {
          const isFull = queue.waiting >= CALLS_WAITING_MAX || !queue.ask(request, call.observed.traced, resolve);
          if (isFull) reject(queueFull());
        });
        if (answer.type === 'refused') throw answer.refusal;
        if (answer.timings) call.observed.addTimings(answer.timings, askedMs);
        return answer.response;
      },
    },
    rateStream: {
      type: 'rawDuplex',
      serve: (call, observed) => {
        const stream = new RateStream(call, observed, () => streams.delete(stream));
        streams.add(stream);
        void stream.run(gate);
      },
    },
  };
}

/** One open stream: every request is answered, in order; it is not read faster than the queue and the client take. */
export class RateStream {
  readonly #call: RawDuplex;
  readonly #observed: ObservedCall;
  readonly #signal: AbortSignal;
  readonly #onEnd: () => void;
  readonly #waiting = { requests: 0, bytes: 0 };
  /** Tries the full queue again. */
  #retry: NodeJS.Timeout | undefined;
  #finished = false;
  /** What ends the stream once everything that was asked is answered; undefined while it goes on. */
  #ending: AccreteError | 'done' | undefined;
  /** Read from the client and not yet asked, since the queue is full or too much waits. */
  readonly #backlog: Buffer[] = [];

  constructor(call: RawDuplex, observed: ObservedCall, onEnd: () => void) {
    this.#call = call;
    this.#observed = observed;
    this.#signal = signalOf(call);
    this.#onEnd = onEnd;
  }

  async run(gate: Gate): Promise<void> {
    // After a half-close a cancellation is not always told; the end of the call is.
    this.#call.on('close', () => this.#finish(status.CANCELLED));
    if (this.#signal.aborted) return this.#finish(status.CANCELLED);
    this.#signal.addEventListener('abort', () => this.#finish(status.CANCELLED), { once: true });
    this.#call.on('error', () => this.#finish(status.CANCELLED));
    try {
      const { queue } = await gate.enter(() => this.#signal);
      this.#call.on('data', (request: Buffer) => {
        this.#backlog.push(request);
        if (this.#backlog.length === 1) this.#ask(queue);
      });
      this.#call.on('end', () => this.#end('done'));
      this.#call.on('drain', () => this.#ask(queue));
    } catch (thrown) {
      this.#end(AccreteError.wrap(thrown));
    }
  }

  /** The server stops: what was asked is answered, what comes after is not taken. */
  drain(): void {
    this.#call.pause();
    this.#end(
      new AccreteError(
        'DRAINING',
        'The server is stopping: send what was not answered again, with the same request_ids, to the next one',
      ),
    );
  }

  /** Asks what was read, as far as the queue takes it; the rest later. */
  #ask(queue: Serving['queue']): void {
    const askedMs = now();
    const { traced } = this.#observed;
    while (this.#backlog.length > 0 && !this.#isHeld && !this.#ending && !this.#finished) {
      const [request] = this.#backlog;
      const { length } = request;
      if (!queue.askPatiently(request, traced, (answer) => this.#answer(answer, askedMs, length, queue))) {
        clearTimeout(this.#retry);
        this.#retry = setTimeout(() => this.#ask(queue), QUEUE_RETRY_MS);
        break;
      }
      this.#backlog.shift();
      this.#waiting.requests++;
      this.#waiting.bytes += length;
    }
    if (this.#backlog.length > 0 || this.#isHeld) this.#call.pause();
    else this.#resume();
  }

  /** Whether enough waits: for the learner, or for the client to read its answers. */
  get #isHeld(): boolean {
    const { requests, bytes } = STREAM_WAITING_MAX;
    return this.#waiting.requests >= requests || this.#waiting.bytes >= bytes || this.#call.writableNeedDrain;
  }

  /** `bytes`: of the request. */
  #answer(answer: LearnerAnswer, askedMs: number, bytes: number, queue: Serving['queue']): void {
    this.#waiting.requests--;
    this.#waiting.bytes -= bytes;
    if (this.#finished) return;
    if (answer.timings) this.#observed.addTimings(answer.timings, askedMs);
    if (answer.type === 'refused' && FATAL.has(answer.refusal.reason)) {
      this.#call.pause();
      this.#ending = answer.refusal;
    } else if (!this.#isFatal()) {
      this.#call.write(
        answer.type === 'refused' ? encodeRefusal(this.#observed.withhold(answer.refusal)) : answer.response,
      );
    }
    if (this.#ending) this.#end(this.#ending);
    else if (this.#backlog.length > 0) this.#ask(queue);
    else this.#resume();
  }

  /** After a fatal refusal the answers to later requests are dropped: the client is to send them again. */
  #isFatal(): boolean {
    return this.#ending instanceof AccreteError && this.#ending.reason !== 'DRAINING';
  }

  #resume(): void {
    if (this.#backlog.length > 0 || this.#ending || this.#call.writableNeedDrain) return;
    const { requests, bytes } = STREAM_WAITING_MAX;
    const isLow = this.#waiting.requests < requests / 2 && this.#waiting.bytes < bytes / 2;
    if (isLow && this.#call.isPaused()) this.#call.resume();
  }

  #end(ending: AccreteError | 'done'): void {
    // What the client sent before it ended its side is still asked.
    const isLeft = this.#backlog.length > 0 && !this.#ending && !this.#finished;
    if (ending === 'done' && isLeft) return void setTimeout(() => this.#end(ending), QUEUE_RETRY_MS);
    this.#ending ??= ending;
    if (this.#waiting.requests > 0 || this.#finished) return;
    if (this.#ending === 'done') {
      this.#finish(status.OK);
      this.#call.end();
    } else {
      const error = serviceError(this.#observed.withhold(this.#ending));
      this.#finish(error.code);
      this.#call.emit('error', error);
    }
  }

  #finish(code: status): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#observed.end(code);
    this.#onEnd();
  }
}

function encodeRefusal(refusal: AccreteError): Buffer {
  const response = { revision: '', acceptedCount: 0, duplicate: false, predictions: [], error: statusOf(refusal) };
  return Buffer.from(RateStreamResponse.encode(response).finish());
}

/** Milliseconds since 1970, with fractions. */
function now(): number {
  return performance.timeOrigin + performance.now();
}
