import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { RecommenderServiceService } from '../../proto/gen/accrete/v1/recommender.ts';
import { withBytes } from '../support/client.ts';
import { TestServer } from '../support/server.ts';
import { SERVICES } from '../support/services.ts';
import { errorOf } from '../support/status.ts';

/** The whole surface is there, and no more. */

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

test('the surface has every method that it should have', () => {
  const expected = Object.entries(SURFACE).flatMap(([service, names]) =>
    names.split(' ').map((name) => `/accrete.v1.${service}/${name}`),
  );
  const methods = SERVICES.flatMap((service) => Object.values(service));
  assert.deepEqual(methods.map(({ path }) => path).sort(), expected.sort());
});

test('a method that the contract does not have is refused by the library', async (t) => {
  const { client } = await TestServer.start(t);
  const method = { ...withBytes(RecommenderServiceService.rate), path: '/accrete.v1.RecommenderService/Guess' };
  const error = await errorOf(client.call(method, Buffer.alloc(0)));
  assert.equal(error.code, status.UNIMPLEMENTED);
});
