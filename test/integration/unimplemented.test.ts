import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { CatalogServiceService } from '../../proto/gen/accrete/v1/catalog.ts';
import { ExperimentServiceService } from '../../proto/gen/accrete/v1/experiment.ts';
import { ImportServiceService } from '../../proto/gen/accrete/v1/import.ts';
import { ModelServiceService } from '../../proto/gen/accrete/v1/model.ts';
import { RecommenderServiceService } from '../../proto/gen/accrete/v1/recommender.ts';
import { UserServiceService } from '../../proto/gen/accrete/v1/user.ts';
import { type Method, withBytes } from '../support/client.ts';
import { TestServer } from '../support/server.ts';
import { errorOf, readFailure } from '../support/status.ts';

/** The whole surface is there: what does not work yet says so. */

type Definition = Readonly<Record<string, Method<never, unknown>>>;
const SERVICES: readonly Definition[] = [
  RecommenderServiceService,
  ModelServiceService,
  CatalogServiceService,
  ImportServiceService,
  UserServiceService,
  ExperimentServiceService,
];
/** Clients rely on these names. */
const SURFACE = {
  RecommenderService: 'Rate RateStream Recommend RecommendBatch Fuse Evaluate',
  ModelService:
    'ListModels GetModel LoadModel UnloadModel RollbackModel SetDefaultModel ExportModel ImportModel TuneModel ' +
    'CreateCheckpoint ExportCheckpoint PutScenario ListScenarios DeleteScenario',
  CatalogService: 'UpsertItems GetItem ListItems DeleteItems',
  ImportService: 'ListImports DeleteImport',
  UserService: 'UpsertUsers GetUser ListRatings ExportRatings ForgetUser',
  ExperimentService: 'CreateExperiment UpdateExperiment GetExperiment ListExperiments StopExperiment PromoteArm',
};
const WORKING = new Set(
  Object.entries({
    RecommenderService: 'Rate RateStream Recommend RecommendBatch Fuse Evaluate',
    ModelService:
      'ListModels GetModel LoadModel UnloadModel RollbackModel SetDefaultModel ExportModel ImportModel TuneModel ' +
      'CreateCheckpoint ExportCheckpoint PutScenario ListScenarios DeleteScenario',
    CatalogService: 'UpsertItems GetItem ListItems DeleteItems',
    ImportService: 'ListImports DeleteImport',
    UserService: 'UpsertUsers GetUser ListRatings ExportRatings ForgetUser',
    ExperimentService: 'CreateExperiment UpdateExperiment GetExperiment ListExperiments StopExperiment PromoteArm',
  }).flatMap(([service, names]) => names.split(' ').map((name) => `/accrete.v1.${service}/${name}`)),
);

const { client } = await TestServer.start({ after });
const methods = SERVICES.flatMap((service) => Object.values(service));
const unfinished = methods.filter(({ path }) => !WORKING.has(path));

test('the surface has every method that it should have', () => {
  const expected = Object.entries(SURFACE).flatMap(([service, names]) =>
    names.split(' ').map((name) => `/accrete.v1.${service}/${name}`),
  );
  assert.deepEqual(methods.map(({ path }) => path).sort(), expected.sort());
});

for (const method of unfinished) {
  test(`${method.path} answers UNIMPLEMENTED`, async () => {
    // On the wire all shapes of calls are alike: one message, then the end of the client's side.
    const stream = client.open(withBytes(method));
    stream.send(Buffer.alloc(0));
    const failure = readFailure(await errorOf(stream.finish()));
    assert.deepEqual([failure.code, failure.reason], ['UNIMPLEMENTED', 'NOT_IMPLEMENTED']);
    assert.deepEqual(failure.metadata, { method: method.path.slice(1) });
    assert.match(failure.message, new RegExp(method.path.slice(1)));
  });
}

test('a method that the contract does not have is refused by the library', async () => {
  const method = { ...withBytes(RecommenderServiceService.rate), path: '/accrete.v1.RecommenderService/Guess' };
  const error = await errorOf(client.call(method, Buffer.alloc(0)));
  assert.equal(error.code, status.UNIMPLEMENTED);
});
