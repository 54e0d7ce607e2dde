import type { Container } from 'inversify';
import { AccreteError } from '../errors.ts';
import { saveByJob } from '../jobs/save-by-job.ts';
import { Model } from '../models/model.ts';
import { loadPlugin } from '../models/plugins.ts';
import { Checkpoints } from '../serving/checkpoints.ts';
import { Erasure } from '../serving/erasure.ts';
import { Forgetting } from '../serving/forgetting.ts';
import { Imports } from '../serving/imports.ts';
import { ModelChanges } from '../serving/model-changes.ts';
import { Promotions } from '../serving/promotions.ts';
import { Retractions } from '../serving/retractions.ts';
import type { Serving } from '../serving/serving.ts';
import type { Capture } from '../store/checkpoints/capture.ts';
import { Notes } from '../store/forget/notes.ts';
import { encodeRetractions } from '../store/forget-codec.ts';
import { ImportFolder } from '../store/models/import-folder.ts';
import { tidyVersions } from '../teaching/version-folders.ts';
import { CheckpointMetrics } from '../telemetry/checkpoint-metrics.ts';
import type { Logger } from '../telemetry/log.ts';
import { loadByJobs } from './loading.ts';
import {
  ANSWER_EVENTS,
  CATALOGUE,
  CHECKPOINT_JOBS,
  DIRECTORY,
  EXPOSURES,
  JOBS,
  METRICS,
  QUEUE,
  RATING_PAGES,
  SCENARIOS,
  WORLD,
} from './server.ts';
import { ARENA, CONFIG, COUNTERS, REVISIONS, SCALE, stateFolder, token } from './shared.ts';

export const MODEL_CHANGES = token<ModelChanges>('ModelChanges');
export const CHECKPOINTS = token<Checkpoints>('Checkpoints');
export const FORGETTING = token<Forgetting>('Forgetting');
export const IMPORTS = token<Serving['imports']>('Imports');
export const PROMOTIONS = token<Promotions>('Promotions');

/** What is asked of the learner by message. */
export interface LearnerAsks {
  readonly hashes: Serving['hashes'];
  readonly capture: (whole: boolean) => Promise<Capture>;
  readonly end: (isSaved: boolean) => void;
  readonly retain: (covered: number) => void;
}

/** Adds what changes models and saves them while the server serves: by jobs, and in agreement with the learner. */
export function bindChanges(container: Container, learner: LearnerAsks, log: Logger): void {
  const arena = container.get(ARENA);
  const state = stateFolder(container.get(CONFIG).data);
  container.bind(MODEL_CHANGES).toDynamicValue((context) => {
    const { peers } = context.get(DIRECTORY);
    const host = { arena, world: context.get(WORLD), scale: context.get(SCALE), peers };
    const checkpoints = context.get(CHECKPOINTS);
    return new ModelChanges({
      directory: context.get(DIRECTORY),
      queue: context.get(QUEUE),
      attach: ({ plugin }, descriptor) => new Model(host, plugin, descriptor),
      startLoading: loadByJobs(context.get(JOBS), arena, checkpoints),
      scenarios: context.get(SCENARIOS),
      // What fails is told by whoever makes it.
      saveSoon: () => void checkpoints.create().catch(() => {}),
      tidy: (models, only) => tidyVersions(state, models, only),
    });
  });
  bindCheckpoints(container, learner, log);
  container.bind(PROMOTIONS).toDynamicValue((context) => {
    const jobs = context.get(JOBS);
    const { peers } = context.get(DIRECTORY);
    const host = { arena, world: context.get(WORLD), scale: context.get(SCALE), peers };
    return new Promotions({
      arena,
      directory: context.get(DIRECTORY),
      queue: context.get(QUEUE),
      checkpoints: context.get(CHECKPOINTS),
      attach: async (descriptor) => new Model(host, await loadPlugin(descriptor.plugin), descriptor),
      keep: (descriptor, loadedMs, revision) =>
        jobs.finish('keep', { descriptor, loadedMs, revision }, new AbortController().signal),
      tidy: (model) => tidyVersions(state, [model], model.name),
      onPhase: (model, version, step) => log.debug({ phase: 'promotion', step, model, version }, 'a version changes'),
      onPromoted: (model, { version, origin, revision }, previous, reason) =>
        log.info({ model, version, previous, origin, revision, reason }, 'a version was promoted'),
      onDeclined: (model, reason) => log.info({ model, reason }, 'a candidate was judged and not promoted'),
      onUnrecorded: (model, error) =>
        log.warn({ model, why: AccreteError.wrap(error).message }, 'the history of a model lacks what was tried'),
      onLost: (model, version, error) => {
        const failure = AccreteError.wrap(error);
        const level = failure.reason === 'DRAINING' ? 'info' : 'error';
        log[level](
          { model, version, err: failure.cause ?? failure },
          'a version that served has no file of its last state; it is learned again when it is wanted back',
        );
      },
    });
  });
  container.bind(IMPORTS).toDynamicValue((context) => {
    const { data, imports, jobs } = context.get(CONFIG);
    return new Imports({
      folder: new ImportFolder(data),
      config: imports,
      atOnceMax: jobs.max,
      accept: (task, signal) => context.get(JOBS).finish('importModel', task, signal),
    });
  });
  container.bind(FORGETTING).toDynamicValue((context) => {
    const jobs = context.get(JOBS);
    const { data } = context.get(CONFIG);
    const queue = context.get(QUEUE);
    const never = () => new AbortController().signal;
    const erasure = new Erasure({
      queue,
      exposuresLogged: () => context.get(EXPOSURES).logged(),
      retractions: new Retractions({ queue, pages: context.get(RATING_PAGES), encode: encodeRetractions }),
      checkpoints: context.get(CHECKPOINTS),
      trace: (task) => jobs.finish('trace', task, never()),
      purge: (task) => jobs.finish('purge', task, never()),
      exclude: (userIds) => {
        context.get(ANSWER_EVENTS).forget(userIds);
        return context.get(IMPORTS).exclude(userIds);
      },
      notes: new Notes(data),
      known: (userId) => context.get(CATALOGUE).knowsOf(userId),
    });
    return new Forgetting({
      erasure,
      onFailure: (error) => log.error({ err: error }, 'someone is not forgotten yet; it is tried again'),
    });
  });
}

/** Their own metrics too. */
function bindCheckpoints(container: Container, learner: LearnerAsks, log: Logger): void {
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
      save: (capture, keeps) => saveByJob(jobs, capture, keeps),
      end: (isSaved) => {
        // The learner may be waiting for room in the log, and hears nothing then.
        if (!isSaved) arena.undo.close();
        end(isSaved);
      },
      onSaved: (saved) => {
        const { revision, bytes, durationMs, before } = saved;
        metrics.saved(saved);
        log.info({ revision, bytes, durationMs: Math.round(durationMs) }, 'checkpoint saved');
        // Whoever reads the journal keeps it; the next checkpoint looks again.
        if (before !== undefined && !context.get(JOBS).readsJournal) learner.retain(before);
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
