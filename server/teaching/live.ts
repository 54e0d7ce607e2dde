import { randomInt } from 'node:crypto';
import type { Plugin } from '../../plugins/contract/index.ts';
import { Arena } from '../memory/arena.ts';
import type { EventFields } from '../memory/events.ts';
import type { Ids } from '../memory/ids.ts';
import type { RatingFields } from '../memory/interactions.ts';
import type { HostKernels } from '../memory/kernels/host-kernels.ts';
import type { Scale } from '../memory/scale.ts';
import { WritableWorld } from '../memory/world.ts';
import type { ModelDescriptor } from '../models/model.ts';
import { Peers } from '../models/peers.ts';
import type { ResolvedModel } from '../models/plugins.ts';
import { WritableModel } from '../models/writable-model.ts';
import { Teacher, type TeacherOptions } from './teacher.ts';

/**
 * Where the journal no longer has its first records, a new model begins with what is live in the world of a checkpoint:
 * the ratings and events, in their order of arrival, each as if it came then. The world in which it learns them has the
 * users, items and kinds of the other one from the start, under the same numbers. What comes of it is a function of the
 * checkpoint, so a load and a start come to the same bytes.
 */

export interface Pupil {
  readonly plugin: Plugin;
  /** Of tables without a rating, in `arena`. */
  readonly descriptor: ModelDescriptor;
  /** The models that it has as inputs, and theirs: new ones learn beside it for the time. */
  readonly inputs?: readonly ResolvedModel[];
}

export interface LiveHost {
  /** The memory of the pupil. */
  readonly arena: Arena;
  readonly scale: Scale;
  readonly kernels: HostKernels;
}

/** How many ratings and events `teachLive` will teach. */
export function countLive({ interactions, events }: WritableWorld): number {
  return interactions.count + events.count;
}

/** Teaches a new model what is live in `world`, which is at `revision`. `onTaught` hears of each. Throws MEMORY_FULL. */
export function teachLive(
  world: WritableWorld,
  revision: number,
  { arena, scale, kernels }: LiveHost,
  { plugin, descriptor, inputs = [] }: Pupil,
  options: TeacherOptions,
  onTaught: () => void = () => {},
): void {
  const past = worldLike(world);
  const host = { arena, world: past, scale, peers: new Peers() };
  const model = WritableModel.attach(host, plugin, descriptor);
  const beside = { ...host, arena: past.arena };
  const learning = inputs.map(({ plugin, spec }) => WritableModel.create(beside, plugin, spec, 1));
  const teacher = new Teacher(host, kernels, [model, ...learning], options);
  try {
    teacher.grow();
    for (const arrival of arrivalsOf(world)) {
      if (arrival.type === 'rating') teacher.teachLiveRating(arrival.fields, revision);
      else teacher.teachLiveEvent(arrival.fields, revision);
      onTaught();
    }
  } finally {
    for (const part of [model, teacher]) part.release();
  }
}

/** A world without a rating, in a memory of its own, that knows the same users, items and kinds. */
function worldLike(world: WritableWorld): WritableWorld {
  const { users, items, events } = world;
  const like = WritableWorld.create(Arena.create(world.arena.budgetBytes, world.arena.setting), randomInt(2 ** 32));
  copyIds(users, world, like.users, like);
  copyIds(items, world, like.items, like);
  const key = { bytes: new Uint8Array(), start: 0, length: 0, namespace: 0 };
  for (let kind = 1; events.kindName(kind) !== ''; kind++) {
    key.bytes = Buffer.from(events.kindName(kind));
    key.length = key.bytes.length;
    like.events.obtainKind(key, like.reclaimer);
  }
  return like;
}

function copyIds(from: Ids, { arena }: WritableWorld, to: Ids, { reclaimer }: WritableWorld): void {
  for (let row = 0; row < from.rows; row++) {
    if (from.isNobody(row)) {
      to.addNobody();
      continue;
    }
    const { address: start, length } = from.place(row);
    to.obtain({ bytes: arena.u8, start, length, namespace: from.namespace(row) }, reclaimer);
  }
}

type Arrival =
  | { readonly type: 'rating'; readonly fields: RatingFields }
  | { readonly type: 'event'; readonly fields: EventFields };

/** One counter numbers both. What is yielded is valid until the next one. */
function* arrivalsOf({ interactions, events }: WritableWorld): Generator<Arrival> {
  const [ratings, others] = [interactions.inOrder(), events.inOrder()];
  const rating: RatingFields = { user: 0, item: 0, kind: 0, value: 0, weight: 0, seconds: 0, nanos: 0 };
  const event: EventFields = { ...rating, learned: 0 };
  for (let r = 0, e = 0; r < ratings.length || e < others.length; ) {
    const isRating =
      e === others.length || (r < ratings.length && interactions.serial(ratings[r]) < events.serial(others[e]));
    if (isRating) {
      interactions.read(ratings[r++], rating);
      yield { type: 'rating', fields: rating };
    } else {
      events.read(others[e++], event);
      yield { type: 'event', fields: event };
    }
  }
}
