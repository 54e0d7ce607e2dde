import {
  type CallOptions,
  type ChannelCredentials,
  type ClientReadableStream,
  credentials,
  Client as GrpcClient,
  InterceptingCall,
  type Interceptor,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import {
  CatalogServiceService,
  type DeleteItemsResponse,
  type GetItemResponse,
  type Item,
  ListItemsRequest,
  type ListItemsResponse,
  UpsertItemsRequest,
  type UpsertItemsResponse,
} from '../../proto/gen/accrete/v1/catalog.ts';
import { type CreateCheckpointResponse, ExportCheckpointRequest } from '../../proto/gen/accrete/v1/checkpoint.ts';
import { EvaluateRequest, type EvaluationReport } from '../../proto/gen/accrete/v1/evaluation.ts';
import type { FileHeader } from '../../proto/gen/accrete/v1/file.ts';
import { type DeepPartial, FuseRequest, type FuseResponse, type FuseResult } from '../../proto/gen/accrete/v1/fuse.ts';
import {
  GetModelRequest,
  type GetModelResponse,
  ModelServiceService,
  type RollbackModelResponse,
  type SetDefaultModelResponse,
  type UnloadModelResponse,
} from '../../proto/gen/accrete/v1/model.ts';
import type { Progress } from '../../proto/gen/accrete/v1/progress.ts';
import type { Rating } from '../../proto/gen/accrete/v1/rating.ts';
import {
  RateRequest,
  type RateResponse,
  type RateStreamRequest,
  type RateStreamResponse,
  RecommendBatchRequest,
  type RecommendBatchResponse,
  RecommenderServiceService,
  RecommendRequest,
  type RecommendResponse,
} from '../../proto/gen/accrete/v1/recommender.ts';
import { ListScenariosRequest, type ListScenariosResponse, Scenario } from '../../proto/gen/accrete/v1/scenario.ts';
import { TuneModelRequest } from '../../proto/gen/accrete/v1/tuning.ts';
import {
  type ForgetUserResponse,
  type GetUserResponse,
  ListRatingsRequest,
  type ListRatingsResponse,
  UpsertUsersRequest,
  type UpsertUsersResponse,
  type User,
  UserServiceService,
} from '../../proto/gen/accrete/v1/user.ts';
import { TestStream } from './test-stream.ts';

/** A method as the generated code defines it. */
export interface Method<Request, Response> {
  readonly path: string;
  readonly requestSerialize: (request: Request) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Response;
}

export interface Options extends CallOptions {
  readonly metadata?: Metadata;
}

/** The method with its requests as bytes, so that they can be anything. */
export function withBytes<Response>(method: Method<never, Response>): Method<Buffer, Response> {
  return { ...method, requestSerialize: (bytes) => bytes };
}

/** A message of a file that is streamed. */
interface FileAnswer {
  readonly content?:
    | { readonly $case: 'header'; readonly value: FileHeader }
    | { readonly $case: 'chunk'; readonly value: Uint8Array }
    | { readonly $case: 'progress' };
}

/** A file that was streamed: what its header says, its chunks and its bytes. */
export function joinFile(answers: readonly FileAnswer[]) {
  const contents = answers.map(({ content }) => content);
  const chunks = contents.flatMap((content) => (content?.$case === 'chunk' ? [content.value] : []));
  const [header] = contents.flatMap((content) => (content?.$case === 'header' ? [content.value] : []));
  return { header, chunks, bytes: Buffer.concat(chunks) };
}

/** What a client shows, and what it trusts. */
export interface Identity {
  readonly channel?: ChannelCredentials;
  readonly token?: string;
}

const showing =
  (token: string): Interceptor =>
  (options, nextCall) =>
    new InterceptingCall(nextCall(options), {
      start: (metadata, listener, next) => {
        metadata.set('authorization', `Bearer ${token}`);
        next(metadata, listener);
      },
    });

/** A client with promises over one connection of its own. */
export class Client {
  readonly #client: GrpcClient;

  constructor(address: string, { channel, token }: Identity = {}) {
    this.#client = new GrpcClient(address, channel ?? credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.max_receive_message_length': -1,
      // The certificate's name: tests connect by addresses.
      ...(channel && { 'grpc.ssl_target_name_override': 'localhost' }),
      ...(token !== undefined && { interceptors: [showing(token)] }),
    });
  }

  close(): void {
    this.#client.close();
  }

  call<Request, Response>(
    { path, requestSerialize, responseDeserialize }: Method<Request, Response>,
    request: Request,
    { metadata = new Metadata(), ...options }: Options = {},
  ): Promise<Response> {
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        metadata,
        options,
        (error, answer) => (error ? reject(error) : resolve(answer as Response)),
      );
    });
  }

  /** All answers of a stream. */
  async collect<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    options?: CallOptions,
  ): Promise<Response[]> {
    const answers: Response[] = [];
    for await (const answer of this.watch(method, request, options)) answers.push(answer);
    return answers;
  }

  /** The answers of a stream as they come. */
  watch<Request, Response>(
    { path, requestSerialize, responseDeserialize }: Method<Request, Response>,
    request: Request,
    options: CallOptions = {},
  ): ClientReadableStream<Response> {
    return this.#client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request, options);
  }

  open<Request, Response>(
    { path, requestSerialize, responseDeserialize }: Method<Request, Response>,
    { metadata = new Metadata(), ...options }: Options = {},
  ): TestStream<Request, Response> {
    return new TestStream(
      this.#client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadata, options),
    );
  }

  rate(ratings: Rating[], more: Partial<RateRequest> = {}, options?: Options): Promise<RateResponse> {
    return this.call(RecommenderServiceService.rate, RateRequest.fromPartial({ ratings, ...more }), options);
  }

  rateStream(options?: Options): TestStream<RateStreamRequest, RateStreamResponse> {
    return this.open(RecommenderServiceService.rateStream, options);
  }

  recommend(user: string, more: Partial<RecommendRequest> = {}, options?: Options): Promise<RecommendResponse> {
    return this.recommendTo({ $case: 'userId', value: user }, more, options);
  }

  recommendLike(item: string, more: Partial<RecommendRequest> = {}): Promise<RecommendResponse> {
    return this.recommendTo({ $case: 'itemId', value: item }, more);
  }

  recommendAfter(itemIds: string[], more: Partial<RecommendRequest> = {}): Promise<RecommendResponse> {
    return this.recommendTo({ $case: 'session', value: { itemIds } }, more);
  }

  recommendTo(
    subject: RecommendRequest['subject'],
    more: Partial<RecommendRequest> = {},
    options?: Options,
  ): Promise<RecommendResponse> {
    const request = RecommendRequest.fromPartial({ ...more, subject });
    return this.call(RecommenderServiceService.recommend, request, options);
  }

  recommendBatch(more: Partial<RecommendBatchRequest> = {}, options?: Options): Promise<RecommendBatchResponse[]> {
    const request = RecommendBatchRequest.fromPartial(more);
    return this.collect(RecommenderServiceService.recommendBatch, request, options);
  }

  async evaluate(more: Partial<EvaluateRequest> = {}): Promise<EvaluationReport> {
    const answers = await this.collect(RecommenderServiceService.evaluate, EvaluateRequest.fromPartial(more));
    const event = answers.at(-1)?.event;
    if (event?.$case !== 'report') throw new Error('Evaluate ended without a report');
    return event.value;
  }

  /** The result of a Fuse, and its progress. */
  async fuse(request: DeepPartial<FuseRequest>): Promise<{ result: FuseResult; progress: Progress[] }> {
    const answers = await this.collect(RecommenderServiceService.fuse, FuseRequest.fromPartial(request));
    const event = answers.at(-1)?.event;
    if (event?.$case !== 'result') throw new Error('Fuse ended without a result');
    const progress = answers.flatMap((answer) => (answer.event?.$case === 'progress' ? [answer.event.value] : []));
    return { result: event.value, progress };
  }

  /** A Fuse that is under way: its answers as they come. */
  watchFuse(request: DeepPartial<FuseRequest>, options?: CallOptions): ClientReadableStream<FuseResponse> {
    return this.watch(RecommenderServiceService.fuse, FuseRequest.fromPartial(request), options);
  }

  /** What a search for settings came to, with what it said on its way. */
  async tune(request: DeepPartial<TuneModelRequest>) {
    const answers = await this.collect(ModelServiceService.tuneModel, TuneModelRequest.fromPartial(request));
    const events = answers.map(({ event }) => event);
    const [result] = events.flatMap((event) => (event?.$case === 'result' ? [event.value] : []));
    if (!result) throw new Error('TuneModel ended without a result');
    const standings = events.flatMap((event) => (event?.$case === 'standing' ? [event.value] : []));
    const progress = events.flatMap((event) => (event?.$case === 'progress' ? [event.value] : []));
    return { result, standings, progress };
  }

  rollbackModel(name: string, version = '', validateOnly = false): Promise<RollbackModelResponse> {
    return this.call(ModelServiceService.rollbackModel, { name, version, validateOnly });
  }

  getModel(name: string, options?: Options): Promise<GetModelResponse> {
    return this.call(ModelServiceService.getModel, GetModelRequest.fromPartial({ name }), options);
  }

  createCheckpoint(): Promise<CreateCheckpointResponse> {
    return this.call(ModelServiceService.createCheckpoint, {});
  }

  /** The file of a checkpoint: what its header says, and its bytes. */
  async exportCheckpoint(more: Partial<ExportCheckpointRequest> = {}) {
    const request = ExportCheckpointRequest.fromPartial(more);
    return joinFile(await this.collect(ModelServiceService.exportCheckpoint, request));
  }

  /** The answer to a stream of requests, which are sent as they come, and which is left open with `isOpen`. */
  send<Request, Response>(
    { path, requestSerialize, responseDeserialize }: Method<Request, Response>,
    requests: Iterable<Request> | AsyncIterable<Request>,
    { signal, isOpen = false }: { readonly signal?: AbortSignal; readonly isOpen?: boolean } = {},
  ): Promise<Response> {
    return new Promise((resolve, reject) => {
      const call = this.#client.makeClientStreamRequest(
        path,
        requestSerialize,
        responseDeserialize,
        (error: ServiceError | null, answer?: Response) => (error ? reject(error) : resolve(answer as Response)),
      );
      signal?.addEventListener('abort', () => call.cancel());
      const write = async () => {
        for await (const request of requests) call.write(request);
        if (!isOpen) call.end();
      };
      write().catch(reject);
    });
  }

  setDefaultModel(name: string): Promise<SetDefaultModelResponse> {
    return this.call(ModelServiceService.setDefaultModel, { name });
  }

  unloadModel(name: string, version = ''): Promise<UnloadModelResponse> {
    return this.call(ModelServiceService.unloadModel, { name, version });
  }

  async putScenario(scenario: Partial<Scenario>, validateOnly = false): Promise<Scenario | undefined> {
    const request = { scenario: Scenario.fromPartial(scenario), validateOnly };
    return (await this.call(ModelServiceService.putScenario, request)).scenario;
  }

  listScenarios(more: Partial<ListScenariosRequest> = {}): Promise<ListScenariosResponse> {
    return this.call(ModelServiceService.listScenarios, ListScenariosRequest.fromPartial(more));
  }

  deleteScenario(name: string): Promise<object> {
    return this.call(ModelServiceService.deleteScenario, { name });
  }

  upsertItems(items: readonly Partial<Item>[], more: Partial<UpsertItemsRequest> = {}): Promise<UpsertItemsResponse> {
    const request = UpsertItemsRequest.fromPartial({ ...more, items: [...items] });
    return this.call(CatalogServiceService.upsertItems, request);
  }

  getItem(itemId: string): Promise<GetItemResponse> {
    return this.call(CatalogServiceService.getItem, { itemId });
  }

  listItems(more: Partial<ListItemsRequest> = {}): Promise<ListItemsResponse> {
    return this.call(CatalogServiceService.listItems, ListItemsRequest.fromPartial(more));
  }

  deleteItems(itemIds: string[], validateOnly = false): Promise<DeleteItemsResponse> {
    return this.call(CatalogServiceService.deleteItems, { itemIds, validateOnly });
  }

  upsertUsers(users: readonly Partial<User>[], more: Partial<UpsertUsersRequest> = {}): Promise<UpsertUsersResponse> {
    const request = UpsertUsersRequest.fromPartial({ ...more, users: [...users] });
    return this.call(UserServiceService.upsertUsers, request);
  }

  getUser(userId: string): Promise<GetUserResponse> {
    return this.call(UserServiceService.getUser, { userId });
  }

  forgetUser(userId: string, validateOnly = false): Promise<ForgetUserResponse> {
    return this.call(UserServiceService.forgetUser, { userId, validateOnly });
  }

  listRatings(user: string, more: Partial<ListRatingsRequest> = {}): Promise<ListRatingsResponse> {
    return this.call(UserServiceService.listRatings, ListRatingsRequest.fromPartial({ ...more, userId: user }));
  }

  /** All ratings of a user, newest first. */
  async allRatings(user: string): Promise<Rating[]> {
    const ratings: Rating[] = [];
    let pageToken = '';
    do {
      const page = await this.listRatings(user, { pageToken, pageSize: 1000 });
      ratings.push(...page.ratings);
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    return ratings;
  }
}
