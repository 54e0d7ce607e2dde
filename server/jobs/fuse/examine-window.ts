import assert from 'node:assert/strict';
import { AccreteError } from '../../errors.ts';
import type { HostKernels } from '../../memory/kernels/host-kernels.ts';
import type { WritableWorld } from '../../memory/world.ts';
import type { ModelHost } from '../../models/model.ts';
import type { WritableModel } from '../../models/writable-model.ts';
import { Follower } from '../../teaching/follower.ts';
import type { Lesson } from '../../teaching/lessons.ts';
import { Teacher } from '../../teaching/teacher.ts';
import { AnswerSheet, type ModelAnswers } from './answer-sheet.ts';
import { Ranker } from './ranker.ts';

/** Two models before a window, and what they are to be asked. */
export interface WindowExam {
  /** Whose live ratings are those of the records up to `reached`, and no others. */
  readonly host: ModelHost & { readonly world: WritableWorld };
  readonly kernels: HostKernels;
  /** The last record before the window. */
  readonly reached: number;
  /** Both are models of that world. */
  readonly live: Contestant;
  readonly candidate: Contestant;
  /** One first rating in so many is ranked by both, as `evaluation.rankEvery` does it live; 0: none. */
  readonly rankEvery: number;
  /** What they have as inputs: models that learn the window, too, also where one is of the name of a contestant. */
  readonly inputs?: Inputs;
}

export interface Inputs {
  /** Those that learn now. */
  readonly present: readonly WritableModel[];
  /** Everything up to `revision` is learned. True when others are present from here on. */
  reach(revision: number): boolean;
}

export interface Contestant {
  readonly model: WritableModel;
  /** The last record that anything in its tables comes from, by learning it or by a refit. */
  readonly seenTo: number;
}

export interface WindowRecord {
  readonly revision: number;
  readonly record: Uint8Array;
}

/** What was said of the first ratings of a window before they were learned, in their order: of those that stand in the end. */
export interface WindowAnswers {
  /** Rows of the world. */
  readonly user: number[];
  readonly live: ModelAnswers;
  readonly candidate: ModelAnswers;
}

/**
 * Tests two models on a window, then trains them on it (prequential: Dawid 1984; Gama 2013), rating by rating: each first
 * rating is predicted by both before either learns it. Yields after each record; both models have learned the window in
 * the end. So the live model says what it said live, and the candidate what it would have said. A rating that is taken back
 * within the window is learned and taken back by both, as it was live, and does not count: nobody stands by it.
 *
 * What has seen a rating looks better on it than it is, so nothing that has is let in: neither a model that holds
 * something of a later record than `reached`, or has learned more events than there were until then, nor a window that
 * begins elsewhere than behind it. Throws WINDOW_SEEN; MODEL_FAILED when a model fails on the way.
 */
export function* examineWindow(exam: WindowExam, records: Iterable<WindowRecord>): Generator<number, WindowAnswers> {
  const { host, kernels, reached, live, candidate, inputs } = exam;
  requireUnseen(exam);
  const onQuarantine = (model: WritableModel, why: unknown) => {
    const who = model === live.model ? 'live model' : model === candidate.model ? 'candidate' : `input ${model.name}`;
    throw new AccreteError('MODEL_FAILED', `The ${who} failed while it was tested: ${why}`, { cause: why });
  };
  const models = [live.model, candidate.model];
  // Inputs first: of one name the first is seen by who has it as an input, and that is what served.
  const learning = () => [...(inputs?.present ?? []), ...models];
  const teacher = new Teacher(host, kernels, learning(), { rankEvery: 0, onQuarantine });
  const ranker = new Ranker(host, kernels);
  const sheet = new AnswerSheet({
    world: host.world,
    models,
    predictions: () => teacher.predictions.subarray(-models.length),
    ranks: (user) => isRanked(user, exam),
    rank: (...asked) => ranker.rank(...asked),
  });
  const admits = (lesson: Lesson) => sheet.ask(lesson);
  const follower = new Follower(host.world, teacher, () => {}, { admits, remembersRequests: false });
  let last = reached;
  try {
    for (const { revision, record } of records) {
      assert(revision === last + 1, `record ${revision} follows record ${last} of the window`);
      follower.follow(revision, record, () => sheet.note());
      last = revision;
      if (inputs?.reach(revision)) teacher.models = learning();
      yield revision;
    }
  } finally {
    teacher.release();
    ranker.release();
  }
  const { user, said } = sheet.answers;
  return { user, live: said[0], candidate: said[1] };
}

/** As it is live: one in so many, of users who have rated something. */
function isRanked(user: number, { host, live, rankEvery }: WindowExam): boolean {
  const isKnown = user >= 0 && host.world.interactions.byUser.count(user) > 0;
  return isKnown && rankEvery > 0 && live.model.prequential.events % rankEvery === 0;
}

function requireUnseen({ host, reached, live, candidate }: WindowExam): void {
  for (const { model, seenTo } of [live, candidate]) {
    assert(model.world === host.world, `model ${model.name} is of another world than the window`);
    if (seenTo > reached) throw windowSeen(model.name, `holds what record ${seenTo} brought`, reached);
  }
  const [most, learned] = [live, candidate].map(({ model }) => model.prequential.events);
  if (candidate.model.learnsEvents === live.model.learnsEvents && learned > most)
    throw windowSeen(candidate.model.name, `has learned ${learned} events of ${most}`, reached);
}

function windowSeen(model: string, how: string, reached: number): AccreteError {
  const remedy = `make it from a state of record ${reached} or before`;
  const message = `A candidate for ${model} has seen the window that it would be judged by, which begins after record ${reached}: it ${how}; ${remedy}`;
  return new AccreteError('WINDOW_SEEN', message, { metadata: { model, reached: String(reached) } });
}
