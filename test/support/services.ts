import { CatalogServiceService } from '../../proto/gen/accrete/v1/catalog.ts';
import { ExperimentServiceService } from '../../proto/gen/accrete/v1/experiment.ts';
import { ImportServiceService } from '../../proto/gen/accrete/v1/import.ts';
import { ModelServiceService } from '../../proto/gen/accrete/v1/model.ts';
import { RecommenderServiceService } from '../../proto/gen/accrete/v1/recommender.ts';
import { UserServiceService } from '../../proto/gen/accrete/v1/user.ts';
import type { Method } from './client.ts';

/** Every service of the contract, with its methods. */
export const SERVICES: readonly Readonly<Record<string, Method<never, unknown>>>[] = [
  RecommenderServiceService,
  ModelServiceService,
  UserServiceService,
  CatalogServiceService,
  ImportServiceService,
  ExperimentServiceService,
];
