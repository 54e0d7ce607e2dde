import { promisify } from 'node:util';
import { credentials, loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const files = loadSync('accrete/v1/recommender.proto', { includeDirs: ['proto', 'proto/third_party'] });
const { RecommenderService } = loadPackageDefinition(files).accrete.v1;
const client = new RecommenderService(process.env.ACCRETE_ADDRESS || '127.0.0.1:50051', credentials.createInsecure());
const rate = promisify(client.rate).bind(client);
const recommend = promisify(client.recommend).bind(client);

const ratings = [{ userId: 'dora', itemId: 'solaris', value: 5 }];
const { revision } = await rate({ requestId: crypto.randomUUID(), ratings });
const { model, items } = await recommend({ userId: 'dora', minRevision: revision });
console.log(model, items);
client.close();
