import { type ClientDuplexStream, status } from '@grpc/grpc-js';
import type { RateStreamResponse } from '../../../proto/gen/accrete/v1/recommender.ts';
import { type CallStatus, Failure } from '../failure.ts';

/** A request that can be sent again: encoded, with a `request_id` of its own. */
export interface Sendable {
  readonly message: Buffer;
}

export interface RatingStreamOptions<Request extends Sendable> {
  /** Opens a RateStream. */
  readonly open: () => ClientDuplexStream<Buffer, RateStreamResponse>;
  /** Hears every answer, in order; may return a request to send in place of a refused one. */
  readonly onAnswer: (request: Request, response: RateStreamResponse) => Request | undefined;
  /** What a failed call is told as. */
  readonly explain: (error: CallStatus) => Failure;
  /** The longest wait for the next answer. */
  readonly timeoutMs: number;
}

/** Requests on their way: enough to keep the server busy, few enough to be sent again. */
const IN_FLIGHT_MAX = 16;
/** Tries in a row without an answer: with these pauses a server may be away for 11 s, and one that never was for 1 s. */
const TRIES_MAX = 8;
const FIRST_TRIES_MAX = 4;
const PAUSE_MIN_MS = 100;
const PAUSE_MAX_MS = 5000;

/**
 * A RateStream that outlives its connection. When the stream breaks, another one is opened and what has no answer is
 * sent again, in order: the server knows by the request ids what it has learned.
 */
export class RatingStream<Request extends Sendable> {
  readonly #options: RatingStreamOptions<Request>;
  /** Sent, or to be sent as soon as there is a stream again; the oldest first. */
  readonly #unanswered: Request[] = [];
  #call: ClientDuplexStream<Buffer, RateStreamResponse> | undefined;
  #tries = 0;
  #triesMax = FIRST_TRIES_MAX;
  #failure: Failure | undefined;
  #finished = false;
  #timer: NodeJS.Timeout | undefined;
  #onChange = () => {};

  constructor(options: RatingStreamOptions<Request>) {
    this.#options = options;
    this.#open();
  }

  /** Resolves when the request is on its way, which waits for others to be answered. Throws Failure. */
  async send(request: Request): Promise<void> {
    while (this.#unanswered.length >= IN_FLIGHT_MAX && !this.#failure) await this.#change();
    if (this.#failure) throw this.#failure;
    this.#push(request);
  }

  /** Resolves when all is answered and the stream is closed. Throws Failure. */
  async finish(): Promise<void> {
    while (this.#unanswered.length > 0 && !this.#failure) await this.#change();
    this.#finished = true;
    this.#call?.end();
    this.#watch();
    while (this.#call && !this.#failure) await this.#change();
    clearTimeout(this.#timer);
    if (this.#failure) throw this.#failure;
  }

  #change(): Promise<void> {
    return new Promise((resolve) => (this.#onChange = resolve));
  }

  #push(request: Request): void {
    this.#unanswered.push(request);
    this.#call?.write(request.message);
    if (this.#unanswered.length === 1) this.#watch();
  }

  #open(): void {
    const call = this.#options.open();
    this.#call = call;
    call.on('data', (response: RateStreamResponse) => this.#answer(response));
    call.on('error', () => {}); // `status` says the same
    call.on('status', (ended) => this.#close(ended));
    for (const { message } of this.#unanswered) call.write(message);
    this.#watch();
  }

  #answer(response: RateStreamResponse): void {
    const request = this.#unanswered.shift();
    this.#tries = 0;
    this.#triesMax = TRIES_MAX;
    const instead = request && this.#options.onAnswer(request, response);
    if (instead) this.#push(instead);
    this.#watch();
    if (request) this.#onChange();
    else this.#fail(new Failure('INTERNAL', 'the server answered what was not asked'));
  }

  /** The stream is over: as wanted, to be opened again, or for a reason that will not pass. */
  #close(ended: CallStatus): void {
    this.#call = undefined;
    clearTimeout(this.#timer);
    const { code } = ended;
    if (this.#finished) this.#onChange();
    else if (PASSING.has(code) && ++this.#tries < this.#triesMax) this.#openLater();
    else
      this.#fail(
        this.#options.explain(code === status.CANCELLED ? { ...ended, code: status.DEADLINE_EXCEEDED } : ended),
      );
  }

  #openLater(): void {
    const pauseMs = Math.min(PAUSE_MIN_MS * 2 ** (this.#tries - 1), PAUSE_MAX_MS);
    this.#timer = setTimeout(() => this.#open(), pauseMs);
  }

  #fail(failure: Failure): void {
    this.#failure = failure;
    this.#onChange();
  }

  /** A stream that no longer answers, or does not end, is cancelled; unless it was to end, another one is opened. */
  #watch(): void {
    const call = this.#call;
    if (!call) return;
    clearTimeout(this.#timer);
    if (this.#unanswered.length > 0 || this.#finished)
      this.#timer = setTimeout(() => call.cancel(), this.#options.timeoutMs);
  }
}

/** Ends of a stream after which another one may do better: of the server, of its connection, of our patience. */
const PASSING: ReadonlySet<status> = new Set([status.UNAVAILABLE, status.OK, status.CANCELLED]);
