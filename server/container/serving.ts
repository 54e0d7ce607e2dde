import type { Container } from 'inversify';
import type { LearnerNews } from '../exchange/messages.ts';
import { Reader } from '../memory/readers.ts';
import { Scale } from '../memory/scale.ts';
import { World } from '../memory/world.ts';
import { Model } from '../models/model.ts';
import { Catalogue } from '../serving/catalogue.ts';
import { Checkpoints } from '../serving/checkpoints.ts';
import { FilterMasks } from '../serving/filter/masks.ts';
import { ModelChanges } from '../serving/model-changes.ts';
import { RatingPages } from '../serving/rating-pages.ts';
import { Recommender } from '../serving/recommender.ts';
import { Scenarios } from '../serving/scenarios.ts';
import type { Serving } from '../serving/serving.ts';
import type { Capture } from '../store/checkpoints/capture.ts';
import { CheckpointMetrics } from '../telemetry/checkpoint-metrics.ts';
import type { Logger } from '../telemetry/log.ts';
import { loadByJobs } from './loading.ts';
import { CHECKPOINT_JOBS, DEPLOYMENT, DIRECTORY, JOBS, METRICS, QUEUE } from './server.ts';
import { ARENA, CONFIG, COUNTERS, KERNELS, REVISIONS, SCALE, token } from './shared.ts';

/** What is asked of the learner by message. */
interface Learner {
  readonly hashes: Serving['hashes'];
  readonly capture: (whole: boolean) => Promise<Capture>;
  readonly end: (isSaved: boolean) => void;
}

type Ready = Extract<LearnerNews, { type: 'ready' }>;

export const SERVING = token<Serving>('Serving');
export const MODEL_CHANGES = token<ModelChanges>('ModelChanges');
export const SCENARIOS = token<Scenarios>('Scenarios');
export const CHECKPOINTS = token<Checkpoints>('Checkpoints');
const WORLD = token<World>('World');
const READER = token<Reader>('Reader');
const MASKS = token<FilterMasks>('FilterMasks');
const RECOMMENDER = token<Recommender>('Recommender');

/** Adds what answers requests, over the memory that the learner has filled. */
export function composeServing(container: Container, ready: Ready, learner: Learner, log: Logger): void {
  const { rating, scenarios, kinds } = ready.deployment;
  const arena = container.get(ARENA);
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
  container.bind(MODEL_CHANGES).toDynamicValue((context) => {
    const host = { arena, world: context.get(WORLD), scale: context.get(SCALE) };
    return new ModelChanges({
      directory: context.get(DIRECTORY),
      queue: context.get(QUEUE),
      attach: ({ plugin }, descriptor) => new Model(host, plugin, descriptor),
      startLoading: loadByJobs(context.get(JOBS), arena),
      scenarios: context.get(SCENARIOS),
    });
  });
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
  bindCheckpoints(container, learner, log);
  container.bind(SERVING).toDynamicValue((context) => ({
    queue: context.get(QUEUE),
    recommender: context.get(RECOMMENDER),
    ratingPages: new RatingPages(arena, context.get(READER), context.get(WORLD)),
    directory: context.get(DIRECTORY),
    revisions: context.get(REVISIONS),
    modelChanges: context.get(MODEL_CHANGES),
    scenarios: context.get(SCENARIOS),
    catalogue: new Catalogue(context.get(READER), context.get(WORLD), context.get(MASKS)),
    hashes: learner.hashes,
    checkpoints: context.get(CHECKPOINTS),
  }));
}

/** Their own metrics too. */
function bindCheckpoints(container: Container, learner: Learner, log: Logger): void {
  container.bind(CHECKPOINTS).toDynamicValue((context) => {
    const jobs = context.get(CHECKPOINT_JOBS);
    const directory = context.get(DIRECTORY);
    const arena = context.get(ARENA);
    const { end } = learner;
    const checkpoints: Checkpoints = new Checkpoints({
      config: context.get(CONFIG).checkpoint,
      revisions: context.get(REVISIONS),
      counters: context.get(COUNTERS),
      models: () => directory.models,
      capture: learner.capture,
      save: (capture) => jobs.finish('checkpoint', { capture }, new AbortController().signal),
      end: (isSaved) => {
        // The learner may be waiting for room in the log, and hears nothing then.
        if (!isSaved) arena.undo.close();
        end(isSaved);
      },
      onSaved: (saved) => {
        const { revision, bytes, durationMs } = saved;
        metrics.saved(saved);
        log.info({ revision, bytes, durationMs: Math.round(durationMs) }, 'checkpoint saved');
      },
      onFailure: (error) => {
        metrics.failed();
        log.error(
          { reason: error.reason, why: error.message, err: error.cause },
          'a checkpoint failed; the journal has everything, and it is tried again',
        );
      },
    });
    const metrics = new CheckpointMetrics(context.get(METRICS).meter, () => checkpoints.latest);
    return checkpoints;
  });
}
