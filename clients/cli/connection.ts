import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import {
  Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  Metadata,
  type MethodDefinition,
  type ServiceError,
} from '@grpc/grpc-js';
import { type Identity, NOBODY } from './credentials.ts';
import { callFailure, Failure } from './failure.ts';

/** What every client repeats, and health. How long a call may take, `--timeout` says. */
const SERVICE_CONFIG = withoutTimes(readFileSync(new URL('../service-config.json', import.meta.url), 'utf8'));

function withoutTimes(text: string) {
  const { methodConfig } = JSON.parse(text) as { methodConfig: { name: object[]; retryPolicy: object }[] };
  const health = { name: [{ service: 'grpc.health.v1.Health' }], retryPolicy: methodConfig[0].retryPolicy };
  return { methodConfig: [...methodConfig.map(({ name, retryPolicy }) => ({ name, retryPolicy })), health] };
}

type Method<Request, Response> = Pick<
  MethodDefinition<Request, Response>,
  'path' | 'requestSerialize' | 'responseDeserialize'
>;

/** A server, by its address. Calls are given by their generated definition: `call(UserServiceService.listRatings, …)`. */
export class Connection {
  readonly address: string;
  readonly timeoutMs: number;
  readonly #client: Client;

  /** `address` is `host:port` or `unix:/path`; `timeoutMs` is the longest wait for an answer; nobody is who shows nothing. */
  constructor(address: string, timeoutMs: number, { channel, interceptors, serverName }: Identity = NOBODY) {
    this.address = address;
    this.timeoutMs = timeoutMs;
    this.#client = new Client(address, channel, {
      interceptors,
      ...(serverName !== undefined && { 'grpc.ssl_target_name_override': serverName }),
      'grpc.service_config': JSON.stringify(SERVICE_CONFIG),
      'grpc.service_config_disable_resolution': 1,
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 1000,
      'grpc.keepalive_time_ms': 20_000,
    });
  }

  /** A call with one answer, which comes within `timeoutMs`. Rejects with Failure. */
  call<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    timeoutMs = this.timeoutMs,
  ): Promise<Response> {
    const { path, requestSerialize, responseDeserialize } = method;
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        new Metadata(),
        { deadline: Date.now() + timeoutMs },
        (error, response) => (error ? reject(this.explain(error)) : resolve(response as Response)),
      );
    });
  }

  /** A call with many answers, each of which comes within `timeoutMs`. Throws Failure. */
  async *stream<Request, Response>(method: Method<Request, Response>, request: Request): AsyncGenerator<Response> {
    const { path, requestSerialize, responseDeserialize } = method;
    const answers: ClientReadableStream<Response> = this.#client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
    );
    const late = new Failure('DEADLINE_EXCEEDED', `no answer within ${this.timeoutMs / 1000} s: raise --timeout`);
    // What the caller does with an answer is not waiting for the next one.
    let waiting = true;
    const timer = setTimeout(() => waiting && answers.destroy(late), this.timeoutMs);
    try {
      for await (const answer of answers) {
        waiting = false;
        yield answer as Response;
        waiting = true;
        timer.refresh();
      }
    } catch (error) {
      throw error === late ? late : this.explain(error as ServiceError);
    } finally {
      clearTimeout(timer);
      answers.cancel();
    }
  }

  /** A stream of requests with one answer, which comes within `timeoutMs`; as fast as they are taken. Rejects with Failure. */
  async send<Request, Response>(
    { path, requestSerialize, responseDeserialize }: Method<Request, Response>,
    requests: AsyncIterable<Request>,
    timeoutMs: number,
  ): Promise<Response> {
    const answered = Promise.withResolvers<Response>();
    // It may be refused while nobody waits for it.
    answered.promise.catch(() => {});
    let isAnswered = false;
    const call = this.#client.makeClientStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      new Metadata(),
      { deadline: Date.now() + timeoutMs },
      (error, response) => {
        isAnswered = true;
        if (error) answered.reject(this.explain(error));
        else answered.resolve(response as Response);
      },
    );
    try {
      for await (const request of requests) {
        if (isAnswered) break;
        if (!call.write(request)) await Promise.race([once(call, 'drain'), answered.promise]);
      }
      call.end();
      return await answered.promise;
    } finally {
      if (!isAnswered) call.cancel();
    }
  }

  /** A stream both ways, of requests that are encoded already. */
  duplex<Response>(method: Method<never, Response>): ClientDuplexStream<Buffer, Response> {
    return this.#client.makeBidiStreamRequest(method.path, (bytes: Buffer) => bytes, method.responseDeserialize);
  }

  /** What a failed call of this connection is told as. */
  explain(error: Parameters<typeof callFailure>[0]): Failure {
    return callFailure(error, this.address);
  }

  close(): void {
    this.#client.close();
  }
}
