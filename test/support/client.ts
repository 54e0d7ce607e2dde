import {
  type CallOptions,
  type ClientReadableStream,
  credentials,
  Client as GrpcClient,
  Metadata,
} from '@grpc/grpc-js';
import { EvaluateRequest, type EvaluationReport } from '../../proto/gen/accrete/v1/evaluation.ts';
import { type GetModelResponse, ModelServiceService } from '../../proto/gen/accrete/v1/model.ts';
import type { Rating } from '../../proto/gen/accrete/v1/rating.ts';
import {
  RateRequest,
  type RateResponse,
  type RateStreamRequest,
  type RateStreamResponse,
  RecommenderServiceService,
  RecommendRequest,
  type RecommendResponse,
} from '../../proto/gen/accrete/v1/recommender.ts';
import { ListRatingsRequest, type ListRatingsResponse, UserServiceService } from '../../proto/gen/accrete/v1/user.ts';
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

/** A client with promises over one connection of its own. */
export class Client {
  readonly #client: GrpcClient;

  constructor(address: string) {
    this.#client = new GrpcClient(address, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.max_receive_message_length': -1,
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
    const request = RecommendRequest.fromPartial({ ...more, subject: { $case: 'userId', value: user } });
    return this.call(RecommenderServiceService.recommend, request, options);
  }

  async evaluate(more: Partial<EvaluateRequest> = {}): Promise<EvaluationReport> {
    const answers = await this.collect(RecommenderServiceService.evaluate, EvaluateRequest.fromPartial(more));
    const event = answers.at(-1)?.event;
    if (event?.$case !== 'report') throw new Error('Evaluate ended without a report');
    return event.value;
  }

  getModel(name: string, options?: Options): Promise<GetModelResponse> {
    return this.call(ModelServiceService.getModel, { name }, options);
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
