import { randomUUID } from 'node:crypto';
import { Client as GrpcClient } from '@grpc/grpc-js';
import { type CallOptions, type Connection, type ServiceClient, serviceClient } from './calls.ts';
import { type ConnectOptions, channelOf } from './connection.ts';
import { CatalogServiceDefinition } from './gen/accrete/v1/catalog.ts';
import { ExperimentServiceDefinition } from './gen/accrete/v1/experiment.ts';
import { ImportServiceDefinition } from './gen/accrete/v1/import.ts';
import { ModelServiceDefinition } from './gen/accrete/v1/model.ts';
import type { Rating } from './gen/accrete/v1/rating.ts';
import { type RateRequest, type RateResponse, RecommenderServiceDefinition } from './gen/accrete/v1/recommender.ts';
import { UserServiceDefinition } from './gen/accrete/v1/user.ts';
import { RatingStream, type RatingStreamOptions } from './rating-stream.ts';

/** Connects to a server; the first call opens the connection. */
export function connect(options: ConnectOptions = {}): Client {
  return new Client(options);
}

/**
 * The services of a server; their calls have the names of the contract, and fail with an `AccreteError`. Calls that are
 * safe to repeat are repeated while the server is UNAVAILABLE for a moment.
 */
export class Client {
  readonly recommender: ServiceClient<RecommenderServiceDefinition>;
  readonly models: ServiceClient<ModelServiceDefinition>;
  readonly users: ServiceClient<UserServiceDefinition>;
  readonly catalog: ServiceClient<CatalogServiceDefinition>;
  readonly imports: ServiceClient<ImportServiceDefinition>;
  readonly experiments: ServiceClient<ExperimentServiceDefinition>;
  readonly #grpc: GrpcClient;

  constructor(options: ConnectOptions) {
    const { address, security, options: grpcOptions } = channelOf(options);
    this.#grpc = new GrpcClient(address, security, grpcOptions);
    const connection: Connection = { grpc: this.#grpc, address, token: options.token, complete: withRequestId };
    this.recommender = serviceClient(connection, RecommenderServiceDefinition);
    this.models = serviceClient(connection, ModelServiceDefinition);
    this.users = serviceClient(connection, UserServiceDefinition);
    this.catalog = serviceClient(connection, CatalogServiceDefinition);
    this.imports = serviceClient(connection, ImportServiceDefinition);
    this.experiments = serviceClient(connection, ExperimentServiceDefinition);
  }

  /** Learns a batch of ratings: all of it or none, and once, however often it has to be sent. */
  rate(ratings: readonly Parameters<typeof Rating.fromPartial>[0][], options?: CallOptions): Promise<RateResponse> {
    return this.recommender.rate({ ratings: [...ratings] }, options);
  }

  /** Sends many ratings, in batches, over a stream that outlives its connection. */
  ratingStream(options?: RatingStreamOptions): RatingStream {
    return new RatingStream(this.recommender.rateStream, options);
  }

  /** Waits until what was answered with this revision, to anybody, is part of recommendations. */
  async waitForRevision(revision: string, options: CallOptions = { timeoutMs: 30_000 }): Promise<void> {
    const { models } = await this.models.listModels({ pageSize: 1000 }, options);
    // Ranks nothing, and waits. The default model is named, so that it is outside every experiment.
    const model = models.find(({ isDefault }) => isDefault)?.name ?? '';
    const subject = { $case: 'userId', value: '-' } as const;
    const request = { subject, model, candidateItemIds: ['-'], pageSize: 1, includeSeen: true, minRevision: revision };
    await this.recommender.recommend(request, options);
  }

  /** Ends the connection; calls that are under way go on. */
  close(): void {
    this.#grpc.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** A Rate without an id gets one: it is repeated when the server is away for a moment. */
function withRequestId(method: string, request: unknown): unknown {
  const { requestId } = request as RateRequest;
  return method === 'Rate' && requestId === '' ? { ...(request as RateRequest), requestId: randomUUID() } : request;
}
