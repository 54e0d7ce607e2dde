import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { credentials, Client as GrpcClient, type ServiceError, status } from '@grpc/grpc-js';
import { CatalogServiceService, UpsertItemsRequest } from '../../../proto/gen/accrete/v1/catalog.ts';
import { CreateExperimentRequest, ExperimentServiceService } from '../../../proto/gen/accrete/v1/experiment.ts';
import { GetModelRequest, ModelServiceService } from '../../../proto/gen/accrete/v1/model.ts';
import { RateRequest, RecommenderServiceService, RecommendRequest } from '../../../proto/gen/accrete/v1/recommender.ts';
import { ListRatingsRequest, UpsertUsersRequest, UserServiceService } from '../../../proto/gen/accrete/v1/user.ts';

/**
 * Makes the store of this folder that is of this version's format: `node test/data/stores/make.ts`. For another format,
 * copy this file into a checkout of a version that wrote it and run it there: it needs nothing but the contract. What a
 * version does not know yet is left out.
 */

const HERE = fileURLToPath(new URL('.', import.meta.url));
const SERVER = fileURLToPath(new URL('../../../server/main.ts', import.meta.url));
const USERS = ['user-0', 'user-1', 'user-2', 'user-3', 'user-9'];

const folder = mkdtempSync(join(tmpdir(), 'accrete-store-'));
const flags = [`--data=${folder}`, '--listen=127.0.0.1:0', '--metrics.listen=off', '--memory.budgetMiB=256'];
const server = spawn(process.execPath, [SERVER, ...flags], { stdio: ['ignore', 'ignore', 'pipe'] });
const client = new GrpcClient(await addressOf(), credentials.createInsecure());
await fill();
const said = await ask();
client.close();
server.kill('SIGTERM');
await once(server, 'exit');

const { format } = JSON.parse(readFileSync(join(folder, 'format.json'), 'utf8')) as { format: number };
const target = join(HERE, `format-${format}`);
mkdirSync(target, { recursive: true });
writeFileSync(join(target, 'said.json'), `${JSON.stringify(said, undefined, 2)}\n`);
const archive = join(target, 'data.tar.gz');
const options = ['--exclude=*lock*', '--sort=name', '--mtime=@0', '-C', folder];
spawnSync('tar', [...options, '-czf', archive, '.'], { stdio: 'inherit' });
rmSync(folder, { recursive: true });

async function addressOf(): Promise<string> {
  for await (const line of createInterface({ input: server.stderr })) {
    const { msg, grpc } = JSON.parse(line) as { msg: string; grpc?: string };
    if (msg === 'listening') return grpc ?? '';
  }
  throw new Error('the server ended');
}

async function fill(): Promise<void> {
  for (let n = 0; n < 6; n++) {
    const ratings = Array.from({ length: 4 }, (_, i) => {
      const retract = i === 3 && n > 3;
      return {
        userId: `user-${(n + i) % 4}`,
        itemId: `item-${(3 * n + i) % 5}`,
        value: retract ? undefined : 1 + ((n * 7 + i) % 5),
        retract,
        weight: i === 1 ? 0.5 : undefined,
        eventTime: { seconds: BigInt(1_600_000_000 + 60 * n + i), nanos: 0 },
      };
    });
    await call(RecommenderServiceService.rate, RateRequest.fromPartial({ requestId: `batch-${n}`, ratings }));
  }
  const features = { labels: ['new'], attributes: { year: 1999 } };
  const items = [{ itemId: 'item-1', ...features }];
  await call(CatalogServiceService.upsertItems, UpsertItemsRequest.fromPartial({ items }));
  const users = [{ userId: 'user-9', ...features }];
  await call(UserServiceService.upsertUsers, UpsertUsersRequest.fromPartial({ users }));
  await call(CatalogServiceService.deleteItems, { itemIds: ['item-4'], validateOnly: false });
  await experiment();
}

/** Answers of two arms, and what came of some of them. */
async function experiment(): Promise<void> {
  const arms = ['mf', 'popularity'].map((model) => ({ name: `by-${model}`, model, weight: 1 }));
  const asked = CreateExperimentRequest.fromPartial({ experiment: { name: 'arms', arms } });
  if (!(await call(ExperimentServiceService.createExperiment, asked))) return;
  for (const user of USERS) {
    const request = RecommendRequest.fromPartial({ subject: { $case: 'userId', value: user }, includeSeen: true });
    const answer = await call(RecommenderServiceService.recommend, request);
    const { recommendationId = '', items: [first] = [] } = answer ?? {};
    const rating = { userId: user, itemId: first?.itemId ?? 'item-1', value: 3, recommendationId };
    await call(RecommenderServiceService.rate, RateRequest.fromPartial({ ratings: [rating] }));
  }
}

/** What the version that wrote it says of it. */
async function ask() {
  const models: Record<string, unknown> = {};
  for (const name of ['mf', 'popularity']) {
    const answer = await call(ModelServiceService.getModel, GetModelRequest.fromPartial({ name }));
    models[name] = { learnedCount: Number(answer?.model?.learnedCount), hashes: answer?.hashes };
  }
  const ratings: Record<string, string[]> = {};
  for (const userId of USERS) {
    const answer = await call(UserServiceService.listRatings, ListRatingsRequest.fromPartial({ userId, pageSize: 100 }));
    ratings[userId] = (answer?.ratings ?? []).map(
      ({ itemId, value, weight = 1, eventTime }) => `${itemId} ${value} ${weight} ${eventTime?.seconds}`,
    );
  }
  return { models, ratings };
}

interface Method<Request, Response> {
  readonly path: string;
  readonly requestSerialize: (request: Request) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Response;
}

function call<Request, Response>(method: Method<Request, Response>, request: Request): Promise<Response | undefined> {
  const { path, requestSerialize, responseDeserialize } = method;
  return new Promise((resolve, reject) => {
    const done = (error: ServiceError | null, answer?: Response) => {
      if (error && error.code !== status.UNIMPLEMENTED) reject(error);
      else resolve(answer);
    };
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, done);
  });
}
