import { type Drift, NO_ROW, type Query, type Rated, type RatingEvent } from '../../plugins/contract/index.ts';
import type { EventFields } from '../memory/events.ts';
import type { RatingFields } from '../memory/interactions.ts';
import type { HostKernels } from '../memory/kernels/host-kernels.ts';
import type { Scale } from '../memory/scale.ts';
import { DEFAULT_NAMESPACE, type WritableWorld } from '../memory/world.ts';
import { inLearningOrder } from '../models/inputs.ts';
import type { Model, ModelHost } from '../models/model.ts';
import { RANK_MISS } from '../models/prequential.ts';
import { Scores } from '../models/scores.ts';
import type { WritableModel } from '../models/writable-model.ts';
import { EventTeacher } from './event-teacher.ts';
import type { Lesson } from './lessons.ts';
import type { ModelMeter } from './model-meter.ts';

/**
 * Takes ratings and events, one by one, through every model and into the memory: predict, record, learn. What it does is
 * a function of the lessons and of what kinds of events mean.
 */

export interface TeacherOptions {
  /** Each model ranks one event in so many of its own; 0: none. */
  readonly rankEvery: number;
  /** Hears why a model stopped learning; `cohort`: of which world beside the main one it is. */
  readonly onQuarantine: (model: WritableModel, why: unknown, cohort?: string) => void;
  /** Hears of drift that a model found. */
  readonly onDrift?: (model: WritableModel, drift: Drift, cohort?: string) => void;
}

export class Teacher {
  #models: readonly WritableModel[] = [];
  /** The same, in the order in which they learn an event. */
  #learning: readonly WritableModel[] = [];
  /** What each model expected for the last rating, on the deployment's scale; NaN where it does not predict. */
  predictions = new Float64Array();
  /** Times the models while somebody wants to know. */
  meter: ModelMeter | undefined;
  /** At which place each model had the item of the last rating; NaN where it did not rank it. */
  ranks = new Float64Array();
  /** Whether the last lesson was a first rating, which the live figures count. */
  isMeasured = false;
  /** Models that another thread teaches until they join, by a key: their memory has to fit as well. */
  readonly guests = new Map<string, Model>();
  readonly #host: ModelHost;
  readonly #world: WritableWorld;
  readonly #kernels: HostKernels;
  readonly #scale: Scale;
  readonly options: TeacherOptions;
  readonly #scores: Scores;
  readonly #event: Mutable<RatingEvent> = {
    user: 0,
    item: 0,
    value: 0,
    weight: 1,
    time: 0,
    previous: undefined,
    order: 0,
    revision: 0,
  };
  readonly #pair = { user: 0, item: 0 };
  readonly #query: Mutable<Query> = { user: 0, time: 0 };
  readonly #previous: Mutable<Rated> = { value: 0, weight: 1, time: 0 };
  readonly #old: RatingFields = { user: 0, item: 0, kind: 0, value: 0, weight: 0, seconds: 0, nanos: 0 };
  readonly #events: EventTeacher;

  constructor(
    host: ModelHost & { readonly world: WritableWorld },
    kernels: HostKernels,
    models: readonly WritableModel[],
    options: TeacherOptions,
  ) {
    this.#host = host;
    this.#world = host.world;
    this.#scale = host.scale;
    this.#kernels = kernels;
    this.options = options;
    this.#scores = new Scores(host.arena);
    this.#events = new EventTeacher(host, (model, revision, step) => this.#guard(model, revision, step));
    this.models = models;
  }

  get models(): readonly WritableModel[] {
    return this.#models;
  }

  /** Between two ratings: those that learn from here on. */
  set models(models: readonly WritableModel[]) {
    for (const model of models) {
      model.forgetExpected();
      model.onDrift = (drift) => this.options.onDrift?.(model, drift);
    }
    this.#models = models;
    this.#learning = inLearningOrder(models);
    this.#events.models = this.#learning;
    this.#host.peers.settle(models);
    this.predictions = new Float64Array(models.length);
    this.ranks = new Float64Array(models.length);
  }

  /** Bytes that all models may ask for with `more` ratings, and `lessons` that they learn: edits too. */
  growthBytes(more: number, lessons = more): number {
    const all = [...this.#models, ...this.guests.values()];
    return all.reduce((bytes, model) => bytes + model.growthBytes(more, lessons), 0);
  }

  /** Gives back its scratch memory; it teaches no more. */
  release(): void {
    this.#scores.release();
  }

  /** Gives every user and item of the world a list of ratings, and a row in every model. */
  grow(): void {
    const { users, items, interactions } = this.#world;
    interactions.grow(users.rows, items.rows);
    for (const model of this.#models) if (model.prequential.quarantinedAt === 0) model.grow();
  }

  /**
   * Makes the row that someone who is forgotten had here first (a lesson that says `retract`), or an item: so all others
   * have the rows that they had.
   */
  keepPlace({ item, retract }: Lesson): void {
    const { users, items, reclaimer } = this.#world;
    if (retract) users.addNobody();
    if (item.length > 0) items.obtain(item, reclaimer);
    this.grow();
  }

  /** Takes back all that a user rated and did, zeroes what models keep of them, and blends errors that may be theirs. */
  forget(user: number, revision: number): void {
    const { interactions, events } = this.#world;
    for (const { item, kind } of events.ofUser(user).toReversed()) this.#events.retract(user, item, kind, revision);
    while (interactions.byUser.count(user) > 0) {
      const pairs = interactions.byUser.pairs(user);
      const last = pairs + 2 * (interactions.byUser.countAt(pairs) - 1);
      this.#retract(interactions.byUser.words[last + 1], revision);
    }
    for (const model of this.#models) {
      model.clearUser(user);
      model.prequential.blend();
    }
  }

  teach(lesson: Lesson): void {
    const { users, items, interactions } = this.#world;
    const user = users.find(lesson.user);
    const item = items.find(lesson.item);
    const row = user >= 0 && item >= 0 ? interactions.find(user, item) : -1;
    this.isMeasured = false;
    this.#predict(user, item, lesson);
    if (lesson.kind.length > 0) this.#teachEvent(user, item, row, lesson);
    else if (!lesson.retract) this.#rate(user, item, row, 0, lesson);
    else if (row >= 0) this.#retract(row, lesson.revision);
  }

  /** A rating that is live in another world, where users, items and kinds have the same numbers. */
  teachLiveRating(fields: RatingFields, revision: number): void {
    this.#predict(fields.user, fields.item, told(fields, revision));
    this.#rate(fields.user, fields.item, -1, fields.kind, told(fields, revision));
  }

  /** The same of an event; the rating that it may have set is one of its own. It counts as it did there. */
  teachLiveEvent(fields: EventFields, revision: number): void {
    this.#events.learn(fields.user, fields.item, fields.kind, told(fields, revision), fields.learned);
  }

  /** An event that carries a value is a rating first; with the events of a kind goes the rating that one of them set. */
  #teachEvent(user: number, item: number, row: number, lesson: Lesson): void {
    const { events, interactions, reclaimer } = this.#world;
    if (!lesson.retract) {
      const kind = events.obtainKind(lesson.kind, reclaimer);
      if (Number.isNaN(lesson.value)) this.#meet(user, item, lesson);
      else this.#rate(user, item, row, kind, lesson);
      this.#events.learn(this.#pair.user, this.#pair.item, kind, lesson);
      return;
    }
    const kind = events.findKind(lesson.kind);
    if (user < 0 || item < 0 || kind < 0) return;
    this.#events.retract(user, item, kind, lesson.revision);
    if (row >= 0 && interactions.kind(row) === kind) this.#retract(row, lesson.revision);
  }

  /** `row`: that of the pair's rating, or -1. `kind`: what sets it; 0 for the rating itself. */
  #rate(user: number, item: number, row: number, kind: number, lesson: Lesson): void {
    if (row < 0) this.#measure(user, item, lesson);
    this.#meet(user, item, lesson);
    this.#learn(row, kind, lesson);
  }

  /** Gives user and item their rows, where they have none (-1) yet, here and in every model, and notes them in `pair`. */
  #meet(user: number, item: number, lesson: Lesson): void {
    const { users, items, reclaimer } = this.#world;
    this.#pair.user = user >= 0 ? user : users.obtain(lesson.user, reclaimer);
    this.#pair.item = item >= 0 ? item : items.obtain(lesson.item, reclaimer);
    this.grow();
  }

  #predict(user: number, item: number, lesson: Lesson): void {
    this.#query.user = user < 0 ? NO_ROW : user;
    this.#query.time = timeOf(lesson);
    for (let m = 0; m < this.models.length; m++) {
      const model = this.models[m];
      this.predictions[m] = Number.NaN;
      if (model.prequential.quarantinedAt > 0) continue;
      this.#guard(model, lesson.revision, () => {
        if (!model.predicts) return;
        const expected = model.expect(this.#query, item < 0 ? NO_ROW : item);
        if (!Number.isFinite(expected)) throw new RangeError(`it predicts ${expected}`);
        this.predictions[m] = this.#scale.toExternal(expected);
      });
    }
  }

  /** A first rating counts for the live figures. */
  #measure(user: number, item: number, lesson: Lesson): void {
    const { rankEvery } = this.options;
    const ranks = rankEvery > 0 && user >= 0 && this.#world.interactions.byUser.count(user) > 0;
    this.isMeasured = true;
    for (let m = 0; m < this.models.length; m++) {
      const model = this.models[m];
      this.ranks[m] = Number.NaN;
      if (model.prequential.quarantinedAt > 0) continue;
      if (model.predicts) model.prequential.recordError(lesson.value - this.predictions[m]);
      // An input of a model that is being loaded has its tables, and its scores, in another memory.
      if (ranks && model.arena === this.#host.arena && model.prequential.events % rankEvery === 0) {
        this.#guard(model, lesson.revision, () => {
          this.ranks[m] = this.#rank(model, user, item, lesson);
          model.prequential.recordRank(this.ranks[m]);
        });
      }
    }
  }

  /** The place of an item among all items less the user's own. */
  #rank(model: WritableModel, user: number, item: number, lesson: Lesson): number {
    if (item < 0) return RANK_MISS;
    const { items } = model;
    const query = { user: model.user(user), time: timeOf(lesson) };
    const scores = this.#scores.ofAll((spans, count, out) => model.scorer.score(query, spans, count, out), items);
    this.#scores.excludeRated(this.#world.interactions, user, items);
    return this.#kernels.rankOf(scores, items, item) + 1;
  }

  #learn(row: number, kind: number, lesson: Lesson): void {
    const { interactions, reclaimer } = this.#world;
    const { user, item } = this.#pair;
    const order = row < 0 ? interactions.nextSerial : interactions.serial(row);
    const event = this.#describe(user, item, lesson, order, lesson.revision);
    if (row >= 0) {
      interactions.read(row, this.#old);
      this.#say(this.#previous, this.#old);
      event.previous = this.#previous;
    }
    for (const model of this.#learning) {
      if (model.prequential.quarantinedAt > 0) continue;
      model.nextEvent(user, item);
      this.#guard(model, lesson.revision, () => model.learner.learn(event));
    }
    const { value, weight, seconds, nanos } = lesson;
    const fields = { user, item, kind, value, weight, seconds, nanos };
    if (row < 0) interactions.add(fields, reclaimer);
    else interactions.write(row, fields);
  }

  #retract(row: number, revision: number): void {
    const { interactions, reclaimer } = this.#world;
    const old = this.#old;
    const order = interactions.serial(row);
    interactions.read(row, old);
    interactions.remove(row, reclaimer);
    const event = this.#describe(old.user, old.item, old, order, revision);
    for (const model of this.#learning) {
      if (model.prequential.quarantinedAt > 0) continue;
      model.nextEvent(event.user, event.item);
      this.#guard(model, revision, () => model.learner.retract?.(event));
    }
  }

  #describe(user: number, item: number, said: Said, order: number, revision: number): Mutable<RatingEvent> {
    const event = this.#event;
    event.user = user;
    event.item = item;
    event.previous = undefined;
    event.order = order;
    event.revision = revision;
    this.#say(event, said);
    return event;
  }

  #say(rated: Mutable<Rated>, { value, weight, seconds, nanos }: Said): void {
    rated.value = this.#scale.toInternal(value);
    rated.weight = weight;
    rated.time = seconds + nanos * 1e-9;
  }

  /** A model whose numbers were not finite when they were saved is not gone on with. */
  examine(model: WritableModel, revision: number): void {
    if (model.prequential.quarantinedAt > 0) return;
    this.#guard(model, revision, () => {
      const broken = model.findNotFinite();
      if (broken !== undefined) throw new RangeError(`${broken} was restored with numbers that are not finite`);
    });
  }

  /** A model that throws or diverges stops learning; the others go on. */
  #guard(model: WritableModel, revision: number, step: () => void): void {
    try {
      if (this.meter) this.meter.time(model, step);
      else step();
    } catch (why) {
      model.prequential.quarantine(revision);
      this.options.onQuarantine(model, why);
    }
  }
}

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };

/** As a lesson of a user and an item that have rows. */
function told({ value, weight, seconds, nanos }: Said, revision: number): Lesson {
  const key = { bytes: NO_BYTES, start: 0, length: 0, namespace: DEFAULT_NAMESPACE };
  return { user: key, item: key, kind: key, retract: false, value, weight, seconds, nanos, revision };
}

const NO_BYTES = new Uint8Array();

/** What a rating says, as it was sent. */
type Said = Pick<Lesson, 'value' | 'weight' | 'seconds' | 'nanos'>;

function timeOf({ seconds, nanos }: Said): number {
  return seconds + nanos * 1e-9;
}
