import assert from 'node:assert/strict';
import * as catalog from '../../../proto/gen/accrete/v1/catalog.ts';
import * as checkpoint from '../../../proto/gen/accrete/v1/checkpoint.ts';
import * as evaluation from '../../../proto/gen/accrete/v1/evaluation.ts';
import * as experiment from '../../../proto/gen/accrete/v1/experiment.ts';
import * as fuse from '../../../proto/gen/accrete/v1/fuse.ts';
import * as imports from '../../../proto/gen/accrete/v1/import.ts';
import * as model from '../../../proto/gen/accrete/v1/model.ts';
import * as recommender from '../../../proto/gen/accrete/v1/recommender.ts';
import * as scenarios from '../../../proto/gen/accrete/v1/scenario.ts';
import * as tuning from '../../../proto/gen/accrete/v1/tuning.ts';
import * as user from '../../../proto/gen/accrete/v1/user.ts';
import * as health from '../../../proto/gen/grpc/health/v1/health.ts';

/** Valid requests of every method, as bytes: what a fuzzer begins with. */

export interface FuzzedMethod {
  readonly name: string;
  readonly path: string;
  readonly requests: readonly Buffer[];
}

const eventTime = { seconds: 1_700_000_000n, nanos: 5 };
const rating = (userId: string, itemId: string, more: object = {}) => ({
  userId,
  itemId,
  value: 3.5,
  eventTime,
  ...more,
});
const ratings = [
  rating('ann', 'matrix'),
  rating('ben', 'alien', { weight: 2, recommendationId: 'r-1' }),
  rating('ann', 'solaris', { kind: 'click', value: undefined }),
  rating('ben', 'matrix', { value: undefined, retract: true }),
];
const features = {
  labels: ['new'],
  attributes: { year: 1999, seen: true, tag: 'x' },
  embeddings: { text: { values: [1, 2] } },
};
const scenario = {
  name: 'home',
  description: 'd',
  filter: 'labels:"new"',
  diversity: 0.2,
  excludeItemIds: ['x'],
  pageSize: 5,
};
const options = {
  pageSize: 3,
  pageToken: 'WyJhIiwxXQ',
  candidateItemIds: ['matrix', 'alien'],
  excludeItemIds: ['solaris'],
  filter: 'attributes.year >= 1990 AND NOT labels:"old"',
  diversity: 0.3,
  includeSeen: true,
  context: { place: 'home' },
};

/** By method; those that are not named begin with an empty message. */
const REQUESTS: Readonly<Record<string, readonly object[]>> = {
  rate: [
    { ratings, requestId: 'fuzz-1' },
    { ratings: ratings.slice(0, 1), validateOnly: true, returnPredictions: ['mean'] },
  ],
  rateStream: [{ ratings, requestId: 'fuzz-2' }, { ratings: ratings.slice(1) }],
  recommend: [
    { subject: { $case: 'userId', value: 'ann' }, ...options, pageToken: '' },
    { subject: { $case: 'itemId', value: 'matrix' }, pageSize: 5, explain: true, model: 'mean' },
    { subject: { $case: 'session', value: { itemIds: ['matrix', 'alien'] } }, minRevision: '2', ...options },
  ],
  recommendBatch: [{ userIds: ['ann', 'ben', 'nobody'], pageSize: 2 }],
  evaluate: [
    { protocol: 1, models: ['mean'] },
    { protocol: 2, seed: 7, metrics: ['rmse'] },
  ],
  fuse: [{ model: 'mean' }],
  getModel: [{ name: 'mean' }],
  listModels: [{ pageSize: 1 }],
  rollbackModel: [
    { name: 'mean', version: '1' },
    { name: 'mean', validateOnly: true },
  ],
  exportCheckpoint: [{ name: '00000000000000000001', withoutJournal: true }],
  loadModel: [{ name: 'second', plugin: 'popularity', config: { halfLifeDays: 3, deep: { er: [1, { a: null }] } } }],
  unloadModel: [{ name: 'second', version: '' }],
  setDefaultModel: [{ name: 'mean' }],
  putScenario: [{ scenario }, { scenario, validateOnly: true }],
  listScenarios: [{ pageSize: 1, pageToken: 'WyJhIiwxXQ' }],
  deleteScenario: [{ name: 'home' }],
  upsertItems: [
    {
      items: [
        {
          itemId: 'matrix',
          title: 'The Matrix',
          categories: ['film'],
          available: true,
          availableFrom: eventTime,
          ...features,
        },
      ],
    },
    { items: [{ itemId: 'alien', labels: ['new'] }], updateMask: ['labels', 'attributes'] },
  ],
  getItem: [{ itemId: 'matrix' }],
  listItems: [{ pageSize: 2, filter: 'labels:"new"' }],
  deleteItems: [{ itemIds: ['old', 'older'], validateOnly: true }],
  upsertUsers: [{ users: [{ userId: 'ann', ...features }], updateMask: ['labels'] }],
  getUser: [{ userId: 'ann' }],
  listRatings: [{ userId: 'ann', pageSize: 1 }],
  exportRatings: [{ firstRevision: '1', lastRevision: '3' }],
  forgetUser: [{ userId: 'nobody' }],
  check: [{ service: 'accrete.write' }],
  createExperiment: [{ experiment: { name: 'e', arms: [{ name: 'a', model: 'mean' }] } }],
};

/** Health's Watch never ends by itself. */
const LEFT_OUT = new Set(['watch']);

/** What a message has no field for would be left out without a word. */
function requireFields(given: unknown, message: unknown, path: string): void {
  if (typeof given !== 'object' || given === null) return;
  for (const [name, value] of Object.entries(given)) {
    const [here, field] = [`${path}.${name}`, (message as Record<string, unknown> | undefined)?.[name]];
    assert(field !== undefined || value === undefined, `there is no field ${here}`);
    requireFields(value, field, here);
  }
}

interface RequestType {
  fromPartial(request: object): unknown;
}

interface Definition {
  readonly path: string;
  readonly requestSerialize: (request: never) => Buffer;
}

/** The generated code of a service. Each method has a request of its own, called after it. */
interface Generated {
  readonly [name: string]: unknown;
}

const SERVICES: readonly [Generated, object][] = [
  [recommender, recommender.RecommenderServiceService],
  [{ ...model, ...scenarios, ...tuning, ...checkpoint }, model.ModelServiceService],
  [user, user.UserServiceService],
  [catalog, catalog.CatalogServiceService],
  [imports, imports.ImportServiceService],
  [experiment, experiment.ExperimentServiceService],
  [{ CheckRequest: health.HealthCheckRequest, ListRequest: health.HealthListRequest }, health.HealthService],
];

export const METHODS: readonly FuzzedMethod[] = SERVICES.flatMap(([generated, service]) =>
  Object.entries(service as Record<string, Definition>)
    .filter(([name]) => !LEFT_OUT.has(name))
    .map(([name, { path, requestSerialize }]) => {
      const typeName = `${name[0].toUpperCase()}${name.slice(1)}Request`;
      const type = (generated[typeName] ?? { ...evaluation, ...fuse }[typeName as never]) as RequestType;
      const requests = (REQUESTS[name] ?? [{}]).map((request) => {
        const message = type.fromPartial(request);
        requireFields(request, message, name);
        return requestSerialize(message as never);
      });
      return { name, path, requests };
    }),
);
