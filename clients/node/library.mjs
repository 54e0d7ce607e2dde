import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { credentials, makeGenericClientConstructor } from '@grpc/grpc-js';
import { createServer } from 'accrete';
import { RateRequest, RecommenderServiceService, RecommendRequest } from 'accrete/proto/gen/accrete/v1/recommender.js';

const data = mkdtempSync(join(tmpdir(), 'accrete-'));
const server = createServer({ data, listen: `unix:${join(data, 'accrete.sock')}`, metrics: { listen: 'off' } });
const { grpc } = await server.start();
await server.ready;

const RecommenderService = makeGenericClientConstructor(RecommenderServiceService, 'RecommenderService');
const client = new RecommenderService(grpc, credentials.createInsecure());
const rate = promisify(client.rate).bind(client);
const recommend = promisify(client.recommend).bind(client);
const ratings = [
  { userId: 'ada', itemId: 'solaris', value: 5 },
  { userId: 'ben', itemId: 'stalker', value: 4 },
];
const { revision } = await rate(RateRequest.fromPartial({ requestId: crypto.randomUUID(), ratings }));
const subject = { $case: 'userId', value: 'ada' };
const { items } = await recommend(RecommendRequest.fromPartial({ subject, minRevision: revision }));
console.log(items.map(({ itemId }) => itemId));

client.close();
await server.stop();
rmSync(data, { recursive: true });
