import type { Container } from 'inversify';
import type { LearnerNews } from '../exchange/messages.ts';
import { TextKey } from '../memory/ids.ts';
import { AnswerEvents } from '../serving/answer-events.ts';
import { CohortViews } from '../serving/cohort-views.ts';
import { ExperimentHistory } from '../serving/experiment-history.ts';
import { ExperimentKeeper } from '../serving/experiment-keeper.ts';
import { ExperimentReports } from '../serving/experiment-reports.ts';
import { Experiments } from '../serving/experiments.ts';
import { Exposures } from '../serving/exposures.ts';
import { FilterMasks } from '../serving/filter/masks.ts';
import type { Deployment } from '../store/deployment.ts';
import { ExposureMark } from '../store/exposure-mark.ts';
import { findStoreId } from '../store/format.ts';
import { PointsFiles } from '../store/points-files.ts';
import { storeNumber } from '../teaching/attribution.ts';
import type { Logger } from '../telemetry/log.ts';
import { ANSWER_EVENTS, COHORT_VIEWS, EXPERIMENTS, EXPOSURES, QUEUE, READER, WORLD } from './server.ts';
import { ARENA, CONFIG, KERNELS, REVISIONS, SCALE, token } from './shared.ts';

type Ready = Extract<LearnerNews, { type: 'ready' }>;

export const EXPERIMENT_REPORTS = token<ExperimentReports>('ExperimentReports');
export const EXPERIMENT_KEEPER = token<ExperimentKeeper>('ExperimentKeeper');

/** What answers showed is not learned when less than this part of the memory is free: the rest is for ratings. */
const ROOM_PART = 1 / 4;

/** Adds experiments: whom they answer, what they log, what is known of them. */
export function bindExperiments(container: Container, { deployment }: Ready, log: Logger): void {
  const { data } = container.get(CONFIG);
  container.bind(COHORT_VIEWS).toDynamicValue((context) => {
    const queue = context.get(QUEUE);
    return new CohortViews({
      arena: context.get(ARENA),
      kernels: context.get(KERNELS),
      reader: context.get(READER),
      revisions: context.get(REVISIONS),
      scale: context.get(SCALE),
      world: context.get(WORLD),
      kinds: deployment.kinds,
      countMax: context.get(CONFIG).limits.pageSize,
      retire: async (keys) => {
        await queue.insist({ type: 'retireCohorts', keys });
      },
    });
  });
  container.bind(EXPERIMENTS).toDynamicValue((context) => {
    const world = context.get(WORLD);
    const reader = context.get(READER);
    const masks = new FilterMasks(context.get(ARENA), context.get(KERNELS), world.userFeatures);
    const key = new TextKey();
    const parts = {
      queue: context.get(QUEUE),
      cohorts: context.get(COHORT_VIEWS),
      satisfies: (userId: string, filter: Parameters<FilterMasks['holds']>[0]) =>
        reader.run(() => {
          const row = key.set(userId) ? world.users.find(key) : -1;
          return row < 0 ? undefined : masks.holds(filter, row, world.users.rows);
        }),
    };
    return new Experiments(parts, deployment.experiments);
  });
  const history = new ExperimentHistory(new PointsFiles(data));
  container.bind(EXPERIMENT_REPORTS).toDynamicValue(
    (context) =>
      new ExperimentReports({
        reader: context.get(READER),
        world: context.get(WORLD),
        revisions: context.get(REVISIONS),
        history,
      }),
  );
  const mark = new ExposureMark(data);
  bindShown(container, mark, deployment, log);
  container.bind(EXPERIMENT_KEEPER).toDynamicValue(
    (context) =>
      new ExperimentKeeper({
        experiments: context.get(EXPERIMENTS),
        exposures: context.get(EXPOSURES),
        reports: context.get(EXPERIMENT_REPORTS),
        history: {
          observe: (experiment, nowMs) => context.get(EXPERIMENT_REPORTS).observe(experiment, nowMs),
          keep: (experiments) => history.keep(experiments),
          save: () => history.save(),
        },
        queue: context.get(QUEUE),
        mark,
        logged: (run) => context.get(WORLD).ledger.tallies.logged(run),
        onEnded: (experiment, reason) => log.info({ experiment, reason }, 'an experiment has ended'),
        onStopped: (experiment, arm, reason) =>
          log.warn({ experiment, arm, reason }, 'an arm was stopped by a guard rail'),
        onLost: (lost) =>
          log.warn({ lost }, 'the run before ended by a crash, which may have lost exposures of experiments'),
        onFailure: (error) =>
          log.warn({ reason: error.reason, why: error.message }, 'experiments are looked after again soon'),
      }),
  );
}

/** What is collected of answers. */
function bindShown(container: Container, mark: ExposureMark, deployment: Deployment, log: Logger): void {
  container.bind(EXPOSURES).toDynamicValue((context) => {
    const queue = context.get(QUEUE);
    const exposures = new Exposures({
      queue,
      mark,
      store: storeNumber(deployment.stores?.[0]?.id ?? findStoreId(container.get(CONFIG).data) ?? ''),
      onLost: (count, { reason, message }) =>
        log.warn({ count, reason, why: message }, 'exposures of experiments were not logged'),
    });
    const shown = context.get(ANSWER_EVENTS);
    queue.onRatings = (request) => {
      exposures.precede(request);
      shown.flush();
    };
    return exposures;
  });
  container.bind(ANSWER_EVENTS).toDynamicValue((context) => {
    const arena = context.get(ARENA);
    return new AnswerEvents({
      queue: context.get(QUEUE),
      kind: Object.entries(deployment.kinds).find(([, { answers }]) => answers)?.[0],
      hasRoom: () => arena.freeBytes >= ROOM_PART * arena.budgetBytes,
      onLost: (events, why) =>
        log.warn(
          { events, reason: why?.reason, why: why?.message ?? 'the memory is nearly full, or the learner is behind' },
          'what was shown is not learned',
        ),
    });
  });
}
