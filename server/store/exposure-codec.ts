/**
 * A record of exposures: which answers experiments gave. Numbers are little-endian; users and units are 8 bytes of a hash
 * (`unitKey`), items are rows, so no id is in it.
 *
 *     u32  run, as in the recommendation ids
 *     u32  how many exposures
 *     u16  how many entries of losses, then each: u16 the number of an experiment, u32 exposures of it that were dropped
 *     then each exposure:
 *       f64  sequence, as in its recommendation id
 *       f64  when, in milliseconds since 1970
 *       u16  number of the experiment
 *       u8   arm
 *       u8   flags: 1 of a user, 2 propensities follow, 4 teams follow
 *       u64  unit
 *       u64  user; 0 without
 *       u32  row of the user; NO_ITEM without one
 *       u16  how many items, then each: u32 row (NO_ITEM: one that nobody knew)
 *            with flag 2 each: f32 propensity; with flag 4 each: u8 the arm that drafted it
 */

export const NO_ITEM = 0xffff_ffff;

export interface Exposure {
  readonly sequence: number;
  readonly atMs: number;
  readonly experiment: number;
  readonly arm: number;
  /** See `unitKey`. */
  readonly unit: bigint;
  /** 0n: the answer was for nobody who is known. */
  readonly user: bigint;
  /** Of the user; NO_ITEM: nobody who had one. */
  readonly row: number;
  /** Rows, best first. */
  readonly items: ArrayLike<number>;
  /** By item; undefined: all 1. */
  readonly propensities?: ArrayLike<number> | undefined;
  /** By item: which arm brought it into a list of both; undefined: `arm` brought all. */
  readonly teams?: ArrayLike<number> | undefined;
}

export interface Exposures {
  readonly run: number;
  /** By the number of an experiment: exposures that there was no room for. */
  readonly lost: ReadonlyMap<number, number>;
  readonly exposures: readonly Exposure[];
}

const HEAD_BYTES = 10;
const LOSS_BYTES = 6;
const EXPOSURE_BYTES = 42;
const HAS_USER = 1;
const HAS_PROPENSITIES = 2;
const HAS_TEAMS = 4;

/** Bytes of one exposure. */
export function exposureBytes({ items, propensities, teams }: Pick<Exposure, 'items' | 'propensities' | 'teams'>) {
  return EXPOSURE_BYTES + items.length * (4 + (propensities ? 4 : 0) + (teams ? 1 : 0));
}

export function encodeExposures({ run, lost, exposures }: Exposures): Uint8Array {
  const bytes = exposures.reduce((sum, exposure) => sum + exposureBytes(exposure), HEAD_BYTES + LOSS_BYTES * lost.size);
  const into = Buffer.allocUnsafe(bytes);
  into.writeUInt32LE(run);
  into.writeUInt32LE(exposures.length, 4);
  let at = into.writeUInt16LE(lost.size, 8);
  for (const [experiment, count] of lost) {
    at = into.writeUInt16LE(experiment, at);
    at = into.writeUInt32LE(Math.min(count, 0xffff_ffff), at);
  }
  for (const exposure of exposures) at = writeExposure(into, at, exposure);
  return into;
}

function writeExposure(into: Buffer, start: number, exposure: Exposure): number {
  const { sequence, atMs, experiment, arm, unit, user, row, items, propensities, teams } = exposure;
  let at = into.writeDoubleLE(sequence, start);
  at = into.writeDoubleLE(atMs, at);
  at = into.writeUInt16LE(experiment, at);
  at = into.writeUInt8(arm, at);
  const flags = (user !== 0n ? HAS_USER : 0) | (propensities ? HAS_PROPENSITIES : 0) | (teams ? HAS_TEAMS : 0);
  at = into.writeUInt8(flags, at);
  at = into.writeBigUInt64LE(unit, at);
  at = into.writeBigUInt64LE(user, at);
  at = into.writeUInt32LE(row, at);
  at = into.writeUInt16LE(items.length, at);
  for (let i = 0; i < items.length; i++) at = into.writeUInt32LE(items[i], at);
  if (propensities) for (let i = 0; i < items.length; i++) at = into.writeFloatLE(propensities[i], at);
  if (teams) for (let i = 0; i < items.length; i++) at = into.writeUInt8(teams[i], at);
  return at;
}

/** How many exposures a record has. */
export function countExposures(payload: Uint8Array): number {
  return new DataView(payload.buffer, payload.byteOffset, payload.length).getUint32(4, true);
}

/** Throws RangeError for anything but what `encodeExposures` makes. */
export function decodeExposures(payload: Uint8Array): Exposures {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
  const run = bytes.readUInt32LE(0);
  const count = bytes.readUInt32LE(4);
  const losses = bytes.readUInt16LE(8);
  const lost = new Map<number, number>();
  let at = HEAD_BYTES;
  for (let i = 0; i < losses; i++, at += LOSS_BYTES) lost.set(bytes.readUInt16LE(at), bytes.readUInt32LE(at + 2));
  const exposures: Exposure[] = [];
  for (let i = 0; i < count; i++) {
    const exposure = readExposure(bytes, at);
    exposures.push(exposure);
    at += exposureBytes(exposure);
  }
  if (at !== bytes.length) throw new RangeError(`exposures end at byte ${at} of ${bytes.length}`);
  return { run, lost, exposures };
}

function readExposure(bytes: Buffer, start: number): Exposure {
  const flags = bytes.readUInt8(start + 19);
  const length = bytes.readUInt16LE(start + 40);
  let at = start + EXPOSURE_BYTES;
  const items = new Uint32Array(length);
  for (let i = 0; i < length; i++, at += 4) items[i] = bytes.readUInt32LE(at);
  const propensities = flags & HAS_PROPENSITIES ? new Float32Array(length) : undefined;
  if (propensities) for (let i = 0; i < length; i++, at += 4) propensities[i] = bytes.readFloatLE(at);
  const teams = flags & HAS_TEAMS ? new Uint8Array(bytes.subarray(at, at + length)) : undefined;
  if (teams && teams.length < length) throw new RangeError('teams are cut off');
  return {
    sequence: bytes.readDoubleLE(start),
    atMs: bytes.readDoubleLE(start + 8),
    experiment: bytes.readUInt16LE(start + 16),
    arm: bytes.readUInt8(start + 18),
    unit: bytes.readBigUInt64LE(start + 20),
    user: bytes.readBigUInt64LE(start + 28),
    row: bytes.readUInt32LE(start + 36),
    items,
    propensities,
    teams,
  };
}
