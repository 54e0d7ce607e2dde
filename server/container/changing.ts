import type { Container } from 'inversify';
import { Model } from '../models/model.ts';
import { Checkpoints } from '../serving/checkpoints.ts';
import { Forgetting } from '../serving/forgetting.ts';
import { ModelChanges } from '../serving/model-changes.ts';
import { Promotions } from '../serving/promotions.ts';
import { Retractions } from '../serving/retractions.ts';
import type { Serving } from '../serving/serving.ts';
import type { Capture } from '../store/checkpoints/capture.ts';
import { Notes } from '../store/forget/notes.ts';
import { encodeRetractions } from '../store/forget-codec.ts';
import { tidyVersions } from '../teaching/state.ts';
import type { Logger } from '../telemetry/log.ts';
import { loadByJobs } from './loading.ts';
import { CATALOGUE, DIRECTORY, JOBS, QUEUE, RATING_PAGES, SCENARIOS, WORLD } from './server.ts';
import { ARENA, CONFIG, COUNTERS, REVISIONS, SCALE, stateFolder, token } from './shared.ts';

export const MODEL_CHANGES = token<ModelChanges>('ModelChanges');
export const CHECKPOINTS = token<Checkpoints>('Checkpoints');
export const FORGETTING = token<Forgetting>('Forgetting');
export const PROMOTIONS = token<Promotions>('Promotions');

/** What is asked of the learner by message. */
export interface LearnerAsks {
  readonly hashes: Serving['hashes'];
  readonly capture: (whole: boolean) => Promise<Capture>;
  readonly end: (isSaved: boolean) => void;
}

/** Adds what changes models and saves them while the server serves: by jobs, and in agreement with the learner. */
export function bindChanges(container: Container, learner: LearnerAsks, log: Logger): void {
  const arena = container.get(ARENA);
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
  container.bind(CHECKPOINTS).toDynamicValue((context) => {
    const jobs = context.get(JOBS);
    const { end } = learner;
    return new Checkpoints({
      config: context.get(CONFIG).checkpoint,
      revisions: context.get(REVISIONS),
      counters: context.get(COUNTERS),
      capture: learner.capture,
      save: (capture, isAlone) => jobs.finish('checkpoint', { capture, isAlone }, new AbortController().signal),
      end: (isSaved) => {
        // The learner may be waiting for a segment to be saved, and hears nothing then.
        if (!isSaved) arena.copies.giveUp();
        end(isSaved);
      },
      onSaved: ({ revision, bytes, durationMs }) =>
        log.info({ revision, bytes, durationMs: Math.round(durationMs) }, 'checkpoint saved'),
      onFailure: (error) =>
        log.error(
          { err: error.cause ?? error },
          'a checkpoint failed; the journal has everything, and it is tried again',
        ),
    });
  });
  container.bind(PROMOTIONS).toDynamicValue((context) => {
    const jobs = context.get(JOBS);
    const host = { arena, world: context.get(WORLD), scale: context.get(SCALE) };
    const state = stateFolder(context.get(CONFIG).data);
    return new Promotions({
      arena,
      directory: context.get(DIRECTORY),
      queue: context.get(QUEUE),
      checkpoints: context.get(CHECKPOINTS),
      attach: ({ plugin }, descriptor) => new Model(host, plugin, descriptor),
      keep: (descriptor, loadedMs, revision) =>
        jobs.finish('keep', { descriptor, loadedMs, revision }, new AbortController().signal),
      tidy: (models) => tidyVersions(state, models),
      onFailure: (error) => log.error({ err: error }, 'a version that served was not kept'),
    });
  });
  container.bind(FORGETTING).toDynamicValue((context) => {
    const jobs = context.get(JOBS);
    const { data } = context.get(CONFIG);
    const queue = context.get(QUEUE);
    const never = () => new AbortController().signal;
    return new Forgetting({
      queue,
      retractions: new Retractions({ queue, pages: context.get(RATING_PAGES), encode: encodeRetractions }),
      checkpoints: context.get(CHECKPOINTS),
      trace: (task) => jobs.finish('trace', task, never()),
      purge: (task) => jobs.finish('purge', task, never()),
      notes: new Notes(data),
      known: (userId) => context.get(CATALOGUE).knowsOf(userId),
      onFailure: (error) => log.error({ err: error }, 'someone is not forgotten yet; it is tried again'),
    });
  });
}
