import type { KindEvent } from '../../plugins/contract/index.ts';
import { type EventFields, isExposure } from '../memory/events.ts';
import type { Scale } from '../memory/scale.ts';
import type { WritableWorld } from '../memory/world.ts';
import type { WritableModel } from '../models/writable-model.ts';
import type { Lesson } from './lessons.ts';

/** Takes events of other kinds than ratings through the models that learn them, and into the live events. */

/** Takes one step of a model, which stops learning when that fails. */
type Guard = (model: WritableModel, revision: number, step: () => void) => void;

export class EventTeacher {
  readonly #world: WritableWorld;
  readonly #scale: Scale;
  /** Those that learn events. */
  #models: readonly WritableModel[] = [];
  readonly #guard: Guard;
  readonly #event: Mutable<KindEvent> = {
    user: 0,
    item: 0,
    kind: '',
    exposure: false,
    weight: 1,
    time: 0,
    value: undefined,
    more: false,
  };
  readonly #fields: EventFields = {
    user: 0,
    item: 0,
    kind: 0,
    value: 0,
    weight: 0,
    learned: 0,
    seconds: 0,
    nanos: 0,
  };

  constructor(host: { readonly world: WritableWorld; readonly scale: Scale }, guard: Guard) {
    this.#world = host.world;
    this.#scale = host.scale;
    this.#guard = guard;
  }

  /** All that learn from here on; the rest is passed over. */
  set models(models: readonly WritableModel[]) {
    this.#models = models.filter((model) => model.learnsEvents);
  }

  /** User and item exist, and the models have rows for them. `learned`: with which weight, as it is kept. */
  learn(user: number, item: number, kind: number, lesson: Lesson, learned = this.#weigh(kind, lesson)): void {
    const { events, users, items, reclaimer } = this.#world;
    const fields = this.#fields;
    fields.user = user;
    fields.item = item;
    fields.kind = kind;
    fields.value = lesson.value;
    fields.weight = lesson.weight;
    fields.learned = learned;
    fields.seconds = lesson.seconds;
    fields.nanos = lesson.nanos;
    this.#describe(fields);
    this.#each(lesson.revision, (model) => model.learner.learnEvent?.(this.#event));
    events.grow(users.rows, items.rows);
    events.add(fields, reclaimer);
  }

  /** Takes back all events of a kind of this user with this item; there may be none. */
  retract(user: number, item: number, kind: number, revision: number): void {
    const { events, reclaimer } = this.#world;
    const rows = events.findAll(user, item, kind);
    if (rows.length === 0) return;
    for (const [n, row] of rows.entries()) {
      events.read(row, this.#fields);
      events.mute(row);
      this.#describe(this.#fields, n < rows.length - 1);
      this.#each(revision, (model) => model.learner.retractEvent?.(this.#event));
    }
    events.removeAll(user, item, rows, reclaimer);
  }

  #weigh(kind: number, { weight }: Lesson): number {
    const meaning = this.#world.kinds.of(kind);
    return weight * (meaning.exposure ? -meaning.weight : meaning.weight);
  }

  #each(revision: number, step: (model: WritableModel) => void): void {
    for (const model of this.#models) {
      if (model.prequential.quarantinedAt > 0) continue;
      model.nextEvent(this.#event.user, this.#event.item);
      this.#guard(model, revision, () => step(model));
    }
  }

  #describe({ user, item, kind, value, learned, seconds, nanos }: EventFields, more = false): void {
    const event = this.#event;
    event.user = user;
    event.item = item;
    event.kind = this.#world.events.kindName(kind);
    event.exposure = isExposure(learned);
    event.weight = Math.abs(learned);
    event.time = seconds + nanos * 1e-9;
    event.value = Number.isNaN(value) ? undefined : this.#scale.toInternal(value);
    event.more = more;
  }
}

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };
