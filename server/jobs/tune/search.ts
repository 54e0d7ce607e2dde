import { AccreteError } from '../../errors.ts';
import { Arena } from '../../memory/arena.ts';
import type { ModelSpec } from '../../models/model-spec.ts';
import { loadPlugin } from '../../models/plugins.ts';
import type { TunedSettings } from '../../models/tuned-settings.ts';
import { findWindow } from '../fuse/find-window.ts';
import { type Loss, requireLoss } from '../fuse/window-figures.ts';
import type { JobContext } from '../job-context.ts';
import { EVENTS_MIN, planRungs, type Rung, rank } from './halving.ts';
import { type Cohort, replayCandidates, type Stretch } from './replay-candidates.ts';
import { SearchNotes } from './search-notes.ts';
import { LIVE, type Trial } from './trial.ts';

/** Looks for the best of several settings of a model: they replay the latest ratings, by successive halving. */

export interface SearchTask {
  /** Names the search: one of the same key goes on where one before was cut off. */
  readonly key: string;
  readonly live: ModelSpec;
  /** What is tried, by the numbers of candidates: the live settings, then others. */
  readonly settings: readonly TunedSettings[];
  /** Keys the draws of refits. */
  readonly refitSeed: number;
  /** What they have as inputs, which learn beside them. */
  readonly inputs: readonly ModelSpec[];
  readonly windowEvents: number;
  /** Of `requireLoss`. */
  readonly metric: string;
  readonly guardMetric: string;
  /** Ratings that are live now: the best candidate will learn them all. */
  readonly liveRatings: number;
}

/** A candidate in the last rung that it came to. */
export interface Tried extends Trial {
  readonly candidate: number;
  /** Ratings that it replayed. */
  readonly events: number;
}

export interface Standing {
  readonly type: 'standing';
  /** From 1. */
  readonly rung: number;
  readonly rungs: number;
  readonly candidatesLeft: number;
  readonly candidatesDone: number;
  readonly events: number;
  /** Of this rung so far. */
  readonly best: Tried | undefined;
}

export interface Searched {
  readonly type: 'searched';
  /** All candidates, the best first; those that failed last. */
  readonly tried: readonly Tried[];
  /** Replays that were done by a search before. */
  readonly resumed: number;
}

/** Candidates that learn side by side: what they have as inputs is learned once, and what is lost by a cut is little. */
const COHORT_MAX = 8;
/** Places that a rung asks for at least, where there are as many ratings: one in `evaluation.rankEvery` may be too few. */
const RANKED_MIN = 1000;

/** Throws TOO_FEW_EVENTS, CAPABILITY_MISSING, INVALID_FIELD, MODEL_FAILED, MEMORY_FULL. */
export async function* search(task: SearchTask, context: JobContext): AsyncGenerator<Standing | Searched> {
  const resolve = async (spec: ModelSpec) => ({ plugin: await loadPlugin(spec.plugin), spec });
  const model = await resolve(task.live);
  const inputs = await Promise.all(task.inputs.map(resolve));
  requireRanked(task, context);
  const last = context.revisions.learned;
  const window = (to: number) => findWindow(context.journal, { last: to, size: task.windowEvents, from: 0 });
  if (window(last).ratings < EVENTS_MIN) throw tooFew(window(last).ratings, task.live.name);
  const newer = findWindow(context.journal, { last, size: Math.ceil(task.windowEvents / 2), from: 0 });
  const isCurrent = (to: number) => to >= newer.start && to <= last && window(to).ratings >= EVENTS_MIN;
  const notes = SearchNotes.open(context.stateFolder, task.key, last, isCurrent);
  let found: Searched;
  try {
    const events = Math.min(window(notes.last).ratings, task.windowEvents);
    found = yield* new Search(task, { model, inputs }, events, notes, context).run();
  } finally {
    notes.close();
  }
  // Of another one they are needed until it is judged.
  if (found.tried[0].candidate === LIVE) SearchNotes.remove(context.stateFolder, task.key);
  yield found;
}

class Search {
  readonly #task: SearchTask;
  readonly #models: Pick<Cohort, 'model' | 'inputs'>;
  /** Of the last rung. */
  readonly #events: number;
  readonly #rungs: readonly Rung[];
  /** Candidates besides the live settings. */
  readonly #others: readonly number[];
  readonly #notes: SearchNotes;
  readonly #context: JobContext;
  readonly #loss: Loss;
  #arena: Arena;
  #cohortMax = COHORT_MAX;
  /** Ratings that were replayed, each as often as there were candidates, and how long that took without the refits. */
  readonly #replayed = { ratings: 0, ms: 0 };
  #resumed = 0;

  constructor(
    task: SearchTask,
    models: Pick<Cohort, 'model' | 'inputs'>,
    events: number,
    notes: SearchNotes,
    context: JobContext,
  ) {
    this.#task = task;
    this.#models = models;
    this.#events = events;
    this.#others = task.settings.flatMap((_, n) => (n === LIVE || this.#isIdle(n) ? [] : [n]));
    if (this.#others.length === 0) throw noPeriodOver(events, task.live.name);
    this.#rungs = planRungs(this.#others.length, events, this.#leastEvents());
    this.#notes = notes;
    this.#context = context;
    this.#loss = requireLoss(task.metric, 'metric');
    this.#arena = Arena.create(context.config.jobs.memoryMiB * 2 ** 20, 'jobs.memoryMiB');
  }

  async *run(): AsyncGenerator<Standing, Searched> {
    const work = this.#rungs.reduce((sum, { events, candidates }) => sum + events * (candidates + 1), 0);
    this.#context.meter.begin('search', 'ratings', work, undefined);
    const tried = new Map<number, Tried>();
    for (const [candidate] of this.#task.settings.entries())
      if (this.#isIdle(candidate)) tried.set(candidate, { ...this.#idle(candidate), candidate, events: 0 });
    let left = [...this.#others];
    let order: number[] = [];
    for (const [n, { events, candidates }] of this.#rungs.entries()) {
      left = left.slice(0, candidates);
      if (left.length === 0) break;
      const trials = yield* this.#runRung(n, [LIVE, ...left], events);
      for (const [candidate, trial] of trials) tried.set(candidate, { ...trial, candidate, events });
      const losses = new Map(Array.from(trials, ([candidate, { loss }]) => [candidate, loss]));
      order = [...rank(losses), ...order.filter((candidate) => !losses.has(candidate))];
      left = order.filter((candidate) => candidate !== LIVE && losses.get(candidate) !== undefined);
    }
    const isLost = ({ loss }: Tried) => loss === undefined;
    const all = [...tried.values()];
    const ordered = order.map((candidate) => tried.get(candidate) as Tried).filter((each) => !isLost(each));
    return { type: 'searched', tried: [...ordered, ...all.filter(isLost)], resumed: this.#resumed };
  }

  /** What came of each candidate of a rung; where there are notes of it, by them. */
  async *#runRung(
    n: number,
    candidates: readonly number[],
    events: number,
  ): AsyncGenerator<Standing, Map<number, Trial>> {
    const { meter } = this.#context;
    const trials = new Map<number, Trial>();
    for (const candidate of candidates) {
      const trial = this.#notes.find(n, candidate);
      if (trial) trials.set(candidate, trial);
    }
    this.#resumed += trials.size;
    meter.add(trials.size * events);
    const todo = candidates.filter((candidate) => !trials.has(candidate));
    const stretch = this.#stretchOf(events);
    const standing = (): Standing => ({
      type: 'standing',
      rung: n + 1,
      rungs: this.#rungs.length,
      candidatesLeft: candidates.length,
      candidatesDone: trials.size,
      events,
      best: bestOf(trials, events),
    });
    yield standing();
    while (todo.length > 0) {
      const startMs = performance.now();
      const found = await this.#replay(todo, stretch);
      this.#replayed.ms += performance.now() - startMs;
      this.#replayed.ratings += found.size * events;
      meter.laterMs = (this.#replayed.ms / this.#replayed.ratings) * this.#task.liveRatings;
      todo.splice(0, found.size);
      this.#notes.add(n, found);
      for (const [candidate, trial] of found) trials.set(candidate, trial);
      // It is among the first.
      this.#requireLive(trials.get(LIVE) as Trial);
      yield standing();
    }
    return trials;
  }

  /** The first ones of these, as many as fit into the memory. */
  async #replay(todo: readonly number[], stretch: Stretch): Promise<Map<number, Trial>> {
    const { meter } = this.#context;
    const { refitSeed } = this.#task;
    for (;;) {
      const candidates = todo.slice(0, this.#cohortMax);
      const settings = candidates.map((candidate) => this.#task.settings[candidate]);
      this.#arena = this.#arena.renew();
      try {
        const onRefit = (ms: number) => {
          this.#replayed.ms -= ms;
          meter.add(0);
        };
        const listener = { onRating: () => meter.add(candidates.length), onRefit };
        const trials = await replayCandidates(
          { ...this.#models, settings, refitSeed },
          stretch,
          this.#loss,
          this.#arena,
          this.#context,
          listener,
        );
        return new Map(candidates.map((candidate, n) => [candidate, trials[n]]));
      } catch (error) {
        if (!(error instanceof AccreteError) || error.reason !== 'MEMORY_FULL') throw error;
        if (candidates.length === 1) return new Map([[candidates[0], this.#tooLarge(candidates[0])]]);
        this.#cohortMax = Math.ceil(candidates.length / 2);
      }
    }
  }

  #periodOf(candidate: number): number {
    return this.#task.settings[candidate].fuse.everyEvents;
  }

  /** Whether its period, which is another one than the live one, is not over before what counts of all ratings. */
  #isIdle(candidate: number): boolean {
    const period = this.#periodOf(candidate);
    return period !== this.#periodOf(LIVE) && !isSeen(period, this.#events);
  }

  #idle(candidate: number): Trial {
    const failure =
      `its fusion period, ${this.#periodOf(candidate)} events, is not over in the first half of ${this.#events} ratings, and the ` +
      'later half counts: replay more of them (window_events)';
    return { loss: undefined, figures: [], failure };
  }

  /** Periods that are compared end in every rung before what counts of it. */
  #leastEvents(): number {
    const periods = new Set([LIVE, ...this.#others].map((candidate) => this.#periodOf(candidate)));
    const seen = [...periods].filter((period) => isSeen(period, this.#events));
    return periods.size === 1 ? EVENTS_MIN : Math.max(EVENTS_MIN, 2 * Math.max(...seen));
  }

  /** The later half counts: what a model says before it has learned anything is much alike for all settings. */
  #stretchOf(events: number): Stretch {
    const { journal, settings } = this.#context;
    const { last } = this.#notes;
    const startOf = (size: number) => findWindow(journal, { last, size, from: 0 }).start;
    const counted = Math.ceil(events / 2);
    const isRanked = this.#loss.metric.of === 'rank';
    const enough = Math.floor(counted / RANKED_MIN);
    const every = Math.max(1, Math.min(settings.evaluation.rankEvery || enough, enough));
    return { start: startOf(events), countedAfter: startOf(counted), last, rankEvery: isRanked ? every : 0 };
  }

  #tooLarge(candidate: number): Trial {
    const { memoryMiB } = this.#context.config.jobs;
    if (candidate === LIVE) {
      const message =
        `A search for settings of ${this.#task.live.name} takes more than jobs.memoryMiB allows (${memoryMiB} MiB): raise it, ` +
        'or replay fewer events (window_events)';
      throw new AccreteError('MEMORY_FULL', message, { metadata: { memory_mib: String(memoryMiB) } });
    }
    const failure = `it takes more memory than jobs.memoryMiB allows (${memoryMiB} MiB)`;
    return { loss: undefined, figures: [], failure };
  }

  #requireLive({ loss, failure }: Trial): void {
    if (loss !== undefined) return;
    const { name } = this.#task.live;
    const message = `The live settings of ${name} failed in the search, so nothing can be compared with them: ${failure}`;
    throw new AccreteError('MODEL_FAILED', message, { metadata: { model: name } });
  }
}

/** Whether a period is over before the later half of so many ratings. */
function isSeen(everyEvents: number, events: number): boolean {
  return 2 * everyEvents <= events;
}

function noPeriodOver(events: number, model: string): AccreteError {
  const message =
    `No fusion period of the space is over in the first half of ${events} ratings, and by the later half they are compared: ` +
    'name shorter ones, or replay more (window_events)';
  return new AccreteError('TOO_FEW_EVENTS', message, { metadata: { model, events: String(events) } });
}

function bestOf(trials: ReadonlyMap<number, Trial>, events: number): Tried | undefined {
  const [candidate] = rank(new Map(Array.from(trials, ([candidate, { loss }]) => [candidate, loss])));
  const trial = trials.get(candidate);
  return trial && { ...trial, candidate, events };
}

/** Better to say so now than when the best candidate is to be judged. */
function requireRanked({ guardMetric }: SearchTask, { settings }: JobContext): void {
  const { metric } = requireLoss(guardMetric);
  if (metric.of !== 'rank' || settings.evaluation.rankEvery > 0) return;
  throw new AccreteError(
    'CAPABILITY_MISSING',
    `No rating is ranked, so ${metric.name} cannot guard: set evaluation.rankEvery`,
    {
      metadata: { metric: metric.name },
    },
  );
}

function tooFew(count: number, model: string): AccreteError {
  const message = `Settings are compared by ${EVENTS_MIN} ratings at least, and the journal has ${count}: wait for more ratings`;
  return new AccreteError('TOO_FEW_EVENTS', message, { metadata: { model, events: String(count) } });
}
