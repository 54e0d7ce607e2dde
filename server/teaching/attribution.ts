import { digestOf, littleWord } from '../allocation/digest.ts';
import type { RatingFields } from '../memory/interactions.ts';
import { NO_TEAM } from '../memory/ledger/answers.ts';
import { parseRecommendationId } from '../memory/ledger/recommendation-id.ts';
import { type Key, keyOf } from '../memory/ledger/units.ts';
import type { WritableWorld } from '../memory/world.ts';
import { RANK_CUTOFF, RANK_MISS } from '../models/prequential.ts';
import type { Control } from '../store/control.ts';
import { type Experiment, isRunning } from '../store/experiment.ts';
import { type Exposure, type Exposures, NO_ITEM } from '../store/exposure-codec.ts';
import type { Lesson } from './lessons.ts';
import type { Teacher } from './teacher.ts';

/**
 * Follows the journal into the ledger of experiments: exposures, their outcomes, and how well the models of arms expected
 * what their units rated. What it does is a function of the records.
 */

/** How long named outcomes count where others do not. */
const NAMED_MS = 24 * 3600 * 1000;

/** An experiment, with what is looked up for every rating. */
interface Watched {
  readonly experiment: Experiment;
  readonly number: number;
  /** How long after an answer its outcomes count. */
  readonly windowMs: number;
  readonly isByUser: boolean;
  /** As often as an observation of each arm counts: see `Units`. */
  readonly weights: readonly number[];
}

/** Who taught the last lesson to the model of an arm; undefined: nobody did. */
export type TeacherOf = (experiment: Experiment, arm: number) => Teacher | undefined;

export class Attribution {
  readonly #world: WritableWorld;
  readonly #teacher: Teacher;
  readonly #teacherOf: TeacherOf;
  readonly #watched = new Map<number, Watched>();
  /** Those that have not ended. */
  #open: readonly Watched[] = [];
  /** Until then outcomes of those that have ended may come. */
  #activeToMs = 0;
  /** What ids of this store are checked by. */
  #store = 0;
  readonly #user: Key = { low: 0, high: 0 };
  readonly #rating: RatingFields = { user: 0, item: 0, kind: 0, value: 0, weight: 0, seconds: 0, nanos: 0 };

  constructor(world: WritableWorld, teacher: Teacher, teacherOf: TeacherOf = () => teacher) {
    this.#world = world;
    this.#teacher = teacher;
    this.#teacherOf = teacherOf;
  }

  /** What was decided up to here. */
  settle(experiments: Iterable<Experiment>, store: string | undefined): void {
    if (store !== undefined) this.#store = storeNumber(store);
    for (const experiment of experiments) this.#watch(experiment);
  }

  control(control: Control): void {
    if (control.type === 'settings' && control.stores?.[0]) this.#store = storeNumber(control.stores[0].id);
    if (control.type === 'crashed') this.#crash(control.run, control.lost);
    if (control.type !== 'experiment') return;
    const { experiment, name } = control;
    if (experiment) this.#watch(experiment);
    else this.#drop(name);
  }

  /** Whether there is anything that what is received then may be attributed to. */
  isActiveAt(receivedAtMs: number): boolean {
    return this.#open.length > 0 || receivedAtMs < this.#activeToMs;
  }

  /** Throws MEMORY_FULL where there was no room for its units before. */
  expose({ run, lost, exposures }: Exposures): void {
    const { ledger } = this.#world;
    for (const [number, count] of lost) if (this.#watched.has(number)) ledger.tallies.add(number, 'lost', count);
    // What is logged already comes again where nobody knew whether it was.
    const logged = ledger.tallies.logged(run);
    for (const exposure of exposures) if (exposure.sequence > logged) this.#expose(run, exposure);
    const last = exposures.at(-1);
    if (last) ledger.tallies.log(run, last.sequence);
  }

  /** A lesson that was taught just now, received at `receivedAtMs`; `recommendationId`: what it names, "" for nothing. */
  attribute(lesson: Lesson, recommendationId: string, receivedAtMs: number): void {
    if (lesson.retract) return;
    const { bytes, start, length } = lesson.user;
    const digest = digestOf(bytes.subarray(start, start + length));
    this.#user.low = littleWord(digest, 0);
    this.#user.high = littleWord(digest, 4);
    if (this.#teacher.isMeasured) this.#measure(lesson, receivedAtMs);
    const { events, kinds, items } = this.#world;
    const kind = lesson.kind.length === 0 ? 0 : events.findKind(lesson.kind);
    if (kind > 0 && kinds.of(kind).exposure) return;
    const item = items.find(lesson.item);
    const atMs = lesson.seconds * 1000 + lesson.nanos / 1e6;
    if (recommendationId !== '') this.#named(recommendationId, lesson, item, kind, atMs, receivedAtMs);
    else this.#unnamed(lesson, item, kind, atMs);
  }

  /** Rows of units, and numbers of answers. */
  forget(units: readonly number[], answers: readonly number[]): void {
    const { ledger } = this.#world;
    for (const serial of answers) ledger.answers.forget(serial);
    if (units.length > 0) ledger.units.forget(units);
  }

  #watch(experiment: Experiment): void {
    const { ledger, reclaimer } = this.#world;
    const { number, attributionWindowMs, unit } = experiment;
    if (!ledger.answers.isReserved) ledger.answers.reserve(reclaimer);
    this.#watched.set(number, {
      experiment,
      number,
      windowMs: attributionWindowMs,
      isByUser: unit === 'user',
      weights: weightsOf(experiment),
    });
    this.#settleOpen();
  }

  #drop(name: string): void {
    const { ledger } = this.#world;
    for (const { number, experiment } of this.#watched.values()) {
      if (experiment.name !== name) continue;
      ledger.units.drop(number);
      ledger.tallies.drop(number);
      this.#watched.delete(number);
    }
    this.#settleOpen();
  }

  #settleOpen(): void {
    this.#open = [...this.#watched.values()].filter(({ experiment }) => !experiment.ended);
    const shadows = this.#open.filter(({ experiment }) => experiment.learningScope === 'shadow');
    this.#activeToMs = Math.max(0, ...[...this.#watched.values()].map(activeToMs));
    this.#world.ledger.rowsPerRating = shadows.reduce((sum, { experiment }) => sum + experiment.arms.length, 0);
  }

  #crash(run: number, lost: number): void {
    const { tallies } = this.#world.ledger;
    tallies.log(run, 0);
    if (lost > 0) for (const { number } of this.#open) tallies.add(number, 'lost', lost);
  }

  #expose(run: number, { sequence, atMs, experiment, arm, unit, user, row, items, teams }: Exposure): void {
    const watched = this.#watched.get(experiment);
    if (!watched) return;
    const { ledger, reclaimer } = this.#world;
    const { units, answers } = ledger;
    const { row: unitRow, isNew } = units.obtain(experiment, keyOf(unit), arm, reclaimer);
    const weight = watched.weights[arm] ?? 1;
    if (units.count(unitRow, 'exposures') === 0) units.set(unitRow, 'firstMs', atMs);
    if (isNew && watched.isByUser && row !== NO_ITEM) this.#lookBack(unitRow, row);
    units.add(unitRow, 'exposures');
    units.addTo(unitRow, 'shown', weight);
    units.set(unitRow, 'lastMs', atMs);
    answers.add({ run, sequence, experiment, user: keyOf(user), unit: unitRow, atMs, items, teams, weight }, reclaimer);
  }

  /** What was live of the user before the first answer, by which figures are adjusted. */
  #lookBack(unit: number, user: number): void {
    const { users, interactions, events, ledger } = this.#world;
    if (user >= users.rows || !users.isSomebody(user)) return;
    const { byUser } = interactions;
    const ratings = byUser.count(user);
    const pairs = byUser.pairs(user);
    let sum = 0;
    for (let n = 0; n < ratings; n++) {
      interactions.read(byUser.words[pairs + 2 * n + 1], this.#rating);
      sum += this.#rating.value;
    }
    ledger.units.add(unit, 'ratingsBefore', ratings);
    ledger.units.set(unit, 'valueBefore', sum);
    if (user < events.byUser.rows) ledger.units.add(unit, 'eventsBefore', events.byUser.count(user));
  }

  /** Counts what the models of arms expected of a first rating. */
  #measure(lesson: Lesson, receivedAtMs: number): void {
    for (const watched of this.#open) {
      const { experiment } = watched;
      if (!isRunning(experiment, receivedAtMs)) continue;
      if (experiment.learningScope === 'shadow') this.#measureAll(watched, lesson);
      else {
        const row = this.#unitOf(watched);
        if (row < 0) continue;
        const arm = this.#world.ledger.units.count(row, 'arm');
        const teacher = this.#teacherOf(experiment, arm);
        if (teacher?.isMeasured) this.#count(row, teacher, experiment.arms[arm].model, watched.weights[arm], lesson);
      }
    }
  }

  #unitOf({ number, isByUser }: Watched): number {
    const { units, answers } = this.#world.ledger;
    if (isByUser) return units.find(number, this.#user);
    for (const answer of answers.ofUser(this.#user))
      if (answers.experiment(answer) === number) return answers.unit(answer);
    return -1;
  }

  /** Of arms that all learn, each has a row of every user. */
  #measureAll({ experiment: { arms }, number }: Watched, lesson: Lesson): void {
    const { ledger, reclaimer } = this.#world;
    for (const [arm, { model }] of arms.entries()) {
      const known = ledger.units.findArm(number, this.#user, arm);
      const row = known >= 0 ? known : ledger.units.obtain(number, this.#user, arm, reclaimer).row;
      this.#count(row, this.#teacher, model, 1, lesson);
    }
  }

  #count(row: number, teacher: Teacher, model: string, weight: number, { value }: Lesson): void {
    const { units } = this.#world.ledger;
    const { models, predictions, ranks } = teacher;
    const m = models.findIndex(({ name }) => name === model);
    if (m < 0) return;
    const error = value - predictions[m];
    if (!Number.isNaN(error)) {
      units.addTo(row, 'errors', weight);
      units.addTo(row, 'absoluteError', weight * Math.abs(error));
      units.addTo(row, 'squaredError', weight * error ** 2);
      units.addTo(row, 'fourthError', weight * error ** 4);
    }
    const rank = ranks[m];
    if (Number.isNaN(rank)) return;
    units.addTo(row, 'ranks', weight);
    if (rank === RANK_MISS || rank > RANK_CUTOFF) return;
    const gain = 1 / Math.log2(1 + rank);
    units.addTo(row, 'gain', weight * gain);
    units.addTo(row, 'gainSquares', weight * gain * gain);
    units.addTo(row, 'hits', weight);
  }

  #named(id: string, lesson: Lesson, item: number, kind: number, atMs: number, receivedAtMs: number): void {
    const { answers, tallies } = this.#world.ledger;
    const name = parseRecommendationId(id, this.#store);
    if (!name) {
      for (const { number, experiment } of this.#open)
        if (isRunning(experiment, receivedAtMs)) tallies.add(number, 'foreign');
      return;
    }
    const watched = this.#watched.get(name.experiment);
    // An answer outside of experiments, or of one that is not kept.
    if (!watched) return;
    const { number, windowMs } = watched;
    const row = answers.find(name);
    if (row < 0)
      tallies.add(number, tallies.knows(name.run) && name.sequence > tallies.logged(name.run) ? 'ofLost' : 'late');
    else if (!answers.isFor(row, this.#user)) tallies.add(number, 'foreign');
    else if (atMs - answers.atMs(row) > (windowMs || NAMED_MS)) tallies.add(number, 'late');
    else this.#credit(row, number, lesson, item, kind);
  }

  /** The latest answer that showed the item, else the latest one, of each experiment. */
  #unnamed(lesson: Lesson, item: number, kind: number, atMs: number): void {
    const { answers } = this.#world.ledger;
    const found = new Map<number, { row: number; shown: boolean }>();
    for (const row of answers.ofUser(this.#user)) {
      const number = answers.experiment(row);
      const ageMs = atMs - answers.atMs(row);
      const windowMs = this.#watched.get(number)?.windowMs ?? 0;
      if (ageMs < 0 || windowMs === 0 || ageMs > windowMs || found.get(number)?.shown) continue;
      const shown = answers.placeOf(row, item) >= 0;
      if (shown || !found.has(number)) found.set(number, { row, shown });
    }
    for (const [number, { row }] of found) this.#credit(row, number, lesson, item, kind);
  }

  #credit(answer: number, number: number, lesson: Lesson, item: number, kind: number): void {
    const { ledger, reclaimer } = this.#world;
    const { answers, units, tallies } = ledger;
    const credited = answers.credit(answer, item, kind, reclaimer);
    if (credited === 'duplicate') {
      tallies.add(number, 'duplicate');
      return;
    }
    const unit = answers.unit(answer);
    if (unit < 0) return;
    const { value } = lesson;
    const weight = answers.weight(answer);
    units.add(unit, 'outcomes');
    if (credited === 'first') units.addTo(unit, 'converted', weight);
    if (!Number.isNaN(value)) {
      units.addTo(unit, 'valued', weight);
      units.addTo(unit, 'value', weight * value);
      units.addTo(unit, 'valueSquares', weight * value * value);
    }
    if (this.#watched.get(number)?.experiment.allocation !== 'interleave') return;
    const place = answers.placeOf(answer, item);
    const team = place < 0 ? NO_TEAM : answers.teamOf(answer, place);
    if (team !== NO_TEAM) units.add(unit, team === 0 ? 'controlCredits' : 'otherCredits');
  }
}

/** What comes much later is no outcome, not even a late one: nobody is looked up for ever. */
function activeToMs({ experiment: { ended }, windowMs }: Watched): number {
  return ended ? ended.atMs + NAMED_MS + 2 * (windowMs || NAMED_MS) : 0;
}

/** How much smaller the share of each arm is than when it began to have one. */
function weightsOf({ arms, cuts }: Experiment): number[] {
  const shares = cuts.at(-1)?.shares ?? [];
  return arms.map(({ baseShare }, arm) => (baseShare && shares[arm] > 0 ? baseShare / shares[arm] : 1));
}

/** By which ids of a store, and of those that were imported from it, are told from others. */
export function storeNumber(id: string): number {
  return littleWord(digestOf(id), 0);
}
