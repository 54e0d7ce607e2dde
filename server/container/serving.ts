import type { Container } from 'inversify';
import type { Device } from '../../plugins/contract/index.ts';
import type { LearnerNews } from '../exchange/messages.ts';
import { Reader } from '../memory/readers.ts';
import { Scale } from '../memory/scale.ts';
import { World } from '../memory/world.ts';
import { Catalogue } from '../serving/catalogue.ts';
import { FilterMasks } from '../serving/filter/masks.ts';
import { RatingPages } from '../serving/rating-pages.ts';
import { Recommender } from '../serving/recommender.ts';
import { Scenarios } from '../serving/scenarios.ts';
import type { Serving } from '../serving/serving.ts';
import { Shortlists } from '../serving/shortlists.ts';
import { versionBytes } from '../teaching/version-folders.ts';
import type { Logger } from '../telemetry/log.ts';
import { DeviceFailure } from '../tensor/operations.ts';
import {
  bindChanges,
  CHECKPOINTS,
  FORGETTING,
  IMPORTS,
  type LearnerAsks,
  MODEL_CHANGES,
  PROMOTIONS,
} from './changing.ts';
import { bindExperiments, EXPERIMENT_REPORTS } from './experimenting.ts';
import {
  ANSWER_EVENTS,
  CATALOGUE,
  COHORT_VIEWS,
  DEPLOYMENT,
  DEVICE,
  DIRECTORY,
  EXPERIMENTS,
  EXPOSURES,
  QUEUE,
  RATING_PAGES,
  READER,
  SCENARIOS,
  WORLD,
} from './server.ts';
import { ARENA, CONFIG, KERNELS, REVISIONS, SCALE, stateFolder, token } from './shared.ts';

type Ready = Extract<LearnerNews, { type: 'ready' }>;

export const SERVING = token<Serving>('Serving');
const MASKS = token<FilterMasks>('FilterMasks');
const RECOMMENDER = token<Recommender>('Recommender');
const SHORTLISTS = token<Shortlists>('Shortlists');

/** What a device fails at is not done again by products here: kernels score faster. */
const NOWHERE: Device = {
  name: 'cpu',
  crossover: Number.POSITIVE_INFINITY,
  run: () => Promise.reject(new DeviceFailure('lists are made without it')),
};

/** Adds what answers requests, over the memory that the learner has filled. */
export function composeServing(container: Container, ready: Ready, learner: LearnerAsks, log: Logger): void {
  const { rating, scenarios, kinds } = ready.deployment;
  const arena = container.get(ARENA);
  const state = stateFolder(container.get(CONFIG).data);
  container.bind(DEPLOYMENT).toConstantValue(ready.deployment);
  container.bind(SCALE).toDynamicValue(() => new Scale(rating.min, rating.max));
  container.bind(WORLD).toDynamicValue(() => {
    const world = new World(arena, ready.world);
    world.kinds.configure(kinds);
    return world;
  });
  container.bind(READER).toDynamicValue(() => new Reader(arena, 0));
  container
    .bind(MASKS)
    .toDynamicValue((context) => new FilterMasks(arena, context.get(KERNELS), context.get(WORLD).itemFeatures));
  container.bind(SCENARIOS).toDynamicValue((context) => new Scenarios(context.get(QUEUE), scenarios));
  container
    .bind(RATING_PAGES)
    .toDynamicValue((context) => new RatingPages(arena, context.get(READER), context.get(WORLD)));
  container
    .bind(CATALOGUE)
    .toDynamicValue((context) => new Catalogue(context.get(READER), context.get(WORLD), context.get(MASKS)));
  bindExperiments(container, ready, log);
  bindChanges(container, learner, log);
  container.bind(RECOMMENDER).toDynamicValue(
    (context) =>
      new Recommender({
        arena,
        kernels: context.get(KERNELS),
        reader: context.get(READER),
        revisions: context.get(REVISIONS),
        world: context.get(WORLD),
        scale: context.get(SCALE),
        directory: context.get(DIRECTORY),
        masks: context.get(MASKS),
        countMax: context.get(CONFIG).limits.pageSize,
      }),
  );
  container.bind(SHORTLISTS).toDynamicValue(
    (context) =>
      new Shortlists({
        reader: context.get(READER),
        revisions: context.get(REVISIONS),
        world: context.get(WORLD),
        directory: context.get(DIRECTORY),
        device: context.get(DEVICE).device(NOWHERE) ?? NOWHERE,
      }),
  );
  container.bind(SERVING).toDynamicValue((context) => ({
    queue: context.get(QUEUE),
    recommender: context.get(RECOMMENDER),
    cohorts: context.get(COHORT_VIEWS),
    shortlists: context.get(SHORTLISTS),
    ratingPages: context.get(RATING_PAGES),
    directory: context.get(DIRECTORY),
    revisions: context.get(REVISIONS),
    modelChanges: context.get(MODEL_CHANGES),
    scenarios: context.get(SCENARIOS),
    experiments: context.get(EXPERIMENTS),
    experimentReports: context.get(EXPERIMENT_REPORTS),
    exposures: context.get(EXPOSURES),
    answerEvents: context.get(ANSWER_EVENTS),
    catalogue: context.get(CATALOGUE),
    hashes: learner.hashes,
    checkpoints: context.get(CHECKPOINTS),
    promotions: context.get(PROMOTIONS),
    forgetting: context.get(FORGETTING),
    imports: context.get(IMPORTS),
    versionBytes: (model, version) => versionBytes(state, model, version),
    rankEvery: context.get(DEPLOYMENT).evaluation.rankEvery,
    liveRatings: () => context.get(WORLD).interactions.count,
  }));
}
