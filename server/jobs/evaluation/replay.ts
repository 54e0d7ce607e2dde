import type { Arena } from '../../memory/arena.ts';
import type { HostKernels } from '../../memory/kernels/host-kernels.ts';
import type { Scale } from '../../memory/scale.ts';
import { WritableWorld } from '../../memory/world.ts';
import type { Peers } from '../../models/peers.ts';
import type { WritableModel } from '../../models/writable-model.ts';
import type { Settings } from '../../store/control.ts';
import type { JournalReader } from '../../store/journal-reader.ts';
import { decodeRecord } from '../../store/record.ts';
import { Follower, type FollowerOptions } from '../../teaching/follower.ts';
import { Teacher } from '../../teaching/teacher.ts';
import type { Meter } from '../meter.ts';

/** Learns a range of records once more, in a world of its own: ids, live ratings, and models if there are any. */

export interface Replay {
  readonly arena: Arena;
  readonly kernels: HostKernels;
  readonly scale: Scale;
  readonly kinds: Settings['kinds'];
  readonly journal: JournalReader;
  readonly meter: Meter;
  readonly from: number;
  readonly to: number;
}

/** A world without a rating. Kinds of events mean what they mean now, until a record of the range says otherwise. */
export function emptyWorld({ arena, kinds }: Pick<Replay, 'arena' | 'kinds'>): WritableWorld {
  const world = WritableWorld.create(arena, 0);
  world.kinds.configure(kinds);
  return world;
}

export interface Pupils {
  readonly world: WritableWorld;
  readonly peers: Peers;
  readonly models: readonly WritableModel[];
  /** Of the lessons all are taught that it admits. */
  readonly admits?: FollowerOptions['admits'];
  /** Hears why a model stopped learning. */
  readonly onFailure: (model: string, why: string) => void;
}

/** A record that was followed. */
export interface Replayed {
  readonly revision: number;
  readonly record: Uint8Array;
}

/**
 * Counts each record in `meter`; gives control back after each. Of the records before `from` all but the ratings are
 * followed: what items, users and kinds of events are.
 */
export function* replay(
  { arena, kernels, scale, journal, meter, from, to }: Replay,
  { world, peers, models, admits, onFailure }: Pupils,
): Generator<Replayed> {
  const teacher = new Teacher({ arena, world, scale, peers }, kernels, models, {
    rankEvery: 0,
    onQuarantine: (model, why) => onFailure(model.name, String(why)),
  });
  const follower = new Follower(world, teacher, () => {}, { admits, remembersRequests: false, rowOf: () => -1 });
  for (const { revision, record } of journal.read(journal.firstRevision, to)) {
    if (revision >= from || decodeRecord(record, revision).type !== 'ratings')
      follower.follow(revision, record, () => meter.add(0));
    meter.add();
    yield { revision, record };
  }
}
