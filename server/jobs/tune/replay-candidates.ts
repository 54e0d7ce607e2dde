import { AccreteError } from '../../errors.ts';
import type { Arena } from '../../memory/arena.ts';
import { loadHostKernels } from '../../memory/kernels/host-kernels.ts';
import { Scale } from '../../memory/scale.ts';
import { Peers } from '../../models/peers.ts';
import type { ResolvedModel } from '../../models/plugins.ts';
import type { TunedSettings } from '../../models/tuned-settings.ts';
import { WritableModel } from '../../models/writable-model.ts';
import { decodeRecord } from '../../store/record.ts';
import { Follower } from '../../teaching/follower.ts';
import type { Lesson } from '../../teaching/lessons.ts';
import { Teacher } from '../../teaching/teacher.ts';
import { findMetric } from '../evaluation/metrics.ts';
import { emptyWorld } from '../evaluation/replay.ts';
import { AnswerSheet, NOT_RANKED } from '../fuse/answer-sheet.ts';
import { Ranker } from '../fuse/ranker.ts';
import type { Loss } from '../fuse/window-figures.ts';
import type { JobContext } from '../job-context.ts';
import { RefitPeriod, type Refitting, refitDue } from './refit-period.ts';
import type { Trial, TrialFigure } from './trial.ts';

/** What candidates replay. */
export interface Stretch {
  /** The last record before it; what of later ones is counted comes after `countedAfter`. */
  readonly start: number;
  readonly countedAfter: number;
  readonly last: number;
  /** One first rating in so many is ranked; 0: none. */
  readonly rankEvery: number;
}

/** Candidates of one plugin, with the models that they have as inputs. */
export interface Cohort {
  readonly model: ResolvedModel;
  readonly settings: readonly TunedSettings[];
  readonly inputs: readonly ResolvedModel[];
  /** Keys the draws of their refits, as of those that the server makes when a period is over. */
  readonly refitSeed: number;
}

/** Hears how a replay goes. */
export interface ReplayListener {
  readonly onRating: () => void;
  /** A part of a refit is done, which took so long. */
  readonly onRefit: (ms: number) => void;
}

/** Metrics that are told besides the one that candidates are compared by. */
const TOLD = ['rmse', 'mae'];
/** Ratings that a sliding figure would cover; nobody reads them here. */
const WINDOW = 1;
/** Characters of what a plugin says when it fails. */
const FAILURE_MAX = 500;

/**
 * Replays a stretch of the journal with candidates that begin with nothing, side by side in a memory of their own: each first
 * rating is predicted before it is learned. One that has a fusion period is trained on all that is live whenever that is over,
 * between two records, as a Fuse by REFIT is. One that throws, diverges, cannot be trained or predicts nothing fails alone.
 * Throws MEMORY_FULL where they do not fit together.
 */
export async function replayCandidates(
  { model, settings: tried, inputs, refitSeed }: Cohort,
  stretch: Stretch,
  loss: Loss,
  arena: Arena,
  { settings, journal, device }: Pick<JobContext, 'settings' | 'journal' | 'device'>,
  { onRating, onRefit }: ReplayListener,
): Promise<Trial[]> {
  const world = emptyWorld({ arena, kinds: settings.kinds });
  const scale = new Scale(settings.rating.min, settings.rating.max);
  const host = { arena, world, scale, peers: new Peers() };
  const kernels = loadHostKernels(arena.memory);
  const failures = new Map<WritableModel | undefined, string>();
  const made = tried.map(({ config }) => make(host, { ...model, spec: { ...model.spec, config } }));
  const models = made.filter((each) => typeof each !== 'string');
  const beside = inputs.map(({ plugin, spec }) => WritableModel.create(host, plugin, spec, WINDOW));
  const onQuarantine = (failed: WritableModel, why: unknown) => failures.set(failed, textOf(why));
  const teacher = new Teacher(host, kernels, [...models, ...beside], { rankEvery: 0, onQuarantine });
  const ranker = new Ranker(host, kernels);
  let asked = 0;
  const sheet = new AnswerSheet({
    world,
    models,
    predictions: () => teacher.predictions,
    ranks: (user) =>
      stretch.rankEvery > 0 &&
      user >= 0 &&
      world.interactions.byUser.count(user) > 0 &&
      asked++ % stretch.rankEvery === 0,
    rank: (asker, ...place) => {
      if (asker.prequential.quarantinedAt > 0) return NOT_RANKED;
      try {
        return ranker.rank(asker, ...place);
      } catch (why) {
        if (why instanceof AccreteError) throw why;
        asker.prequential.quarantine(stretch.last);
        onQuarantine(asker, why);
        return NOT_RANKED;
      }
    },
  });
  const periods = made.flatMap((each, n) =>
    typeof each === 'string' ? [] : [new RefitPeriod(each, tried[n].fuse.everyEvents)],
  );
  const refitting: Refitting = {
    seed: refitSeed,
    device,
    onPart: onRefit,
    onFailure: (failed, why) => failures.set(failed, `its refit failed: ${textOf(why)}`),
  };
  let counts = false;
  const admits = (lesson: Lesson) => (counts ? sheet.ask(lesson) : true);
  const follower = new Follower(world, teacher, () => {}, { admits, remembersRequests: false, rowOf: () => -1 });
  const onTaught = () => {
    if (counts) sheet.note();
    onRating();
  };
  for (const { revision, record } of journal.read(journal.firstRevision, stretch.last)) {
    await refitDue(periods, revision, refitting);
    counts = revision > stretch.countedAfter;
    if (revision > stretch.start || decodeRecord(record, revision).type !== 'ratings')
      follower.follow(revision, record, onTaught);
  }
  const { said } = sheet.answers;
  return made.map((each) => {
    if (typeof each === 'string') return failed(each);
    const failure = failures.get(each);
    return failure === undefined ? trialOf(said[models.indexOf(each)], loss) : failed(failure);
  });
}

/** A text: why it cannot be made. */
function make(host: Parameters<typeof WritableModel.create>[0], { plugin, spec }: ResolvedModel) {
  try {
    return WritableModel.create(host, plugin, spec, WINDOW);
  } catch (error) {
    if (error instanceof AccreteError && error.reason === 'MEMORY_FULL') throw error;
    return textOf(error);
  }
}

function trialOf({ error, rank }: AnswerSheet['answers']['said'][number], { metric, of }: Loss): Trial {
  const figures = [...new Set([metric.name, ...TOLD])].flatMap((name): TrialFigure[] => {
    const told = findMetric(name);
    const scores = told ? scoresOf(told) : [];
    return told && scores.length > 0 ? [{ metric: name, value: told.figure(mean(scores)), count: scores.length }] : [];
  });
  function scoresOf({ of, score }: Loss['metric']): number[] {
    return Array.from(error.keys()).flatMap((n) => {
      const isAnswered = of === 'rank' ? rank[n] !== NOT_RANKED : !Number.isNaN(error[n]);
      return isAnswered ? [score(error[n], rank[n])] : [];
    });
  }
  const scores = scoresOf(metric);
  if (scores.length > 0) return { loss: mean(scores.map(of)), figures, failure: '' };
  return {
    ...failed(`it has no ${metric.name}: it ${metric.of === 'rank' ? 'ranked' : 'predicted'} no rating`),
    figures,
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function failed(failure: string): Trial {
  return { loss: undefined, figures: [], failure };
}

function textOf(why: unknown): string {
  return (why instanceof Error ? why.message : String(why)).slice(0, FAILURE_MAX);
}
