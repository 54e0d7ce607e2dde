/**
 * Names of answers, by which ratings say what led to them: UUIDs of version 8 (RFC 9562) that say which run of the server
 * gave them, which experiment the answer was of, and which one it was, and hold a check, so that those of others, and
 * what was made up, are told apart.
 *
 *     32 bits  the run, a random number
 *     16 bits  the number of the experiment; 0: none
 *      4 bits  version 8
 *     12 bits, 2 bits (the variant, 10), 30 bits: the number of the answer in its run
 *     32 bits  check: a hash of the others and of the store
 */

export interface RecommendationName {
  readonly run: number;
  readonly experiment: number;
  /** From 1 for those of experiments, and for the others, each in their order. */
  readonly sequence: number;
}

/** Of one run and experiment, up to 2^42 answers. */
export const SEQUENCE_MAX = 2 ** 42 - 1;
const RECOMMENDATION_ID_LENGTH = 36;

const TWO_TO_30 = 2 ** 30;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** `store`: a number that other stores do not have. */
export function formatRecommendationId({ run, experiment, sequence }: RecommendationName, store: number): string {
  const high = Math.floor(sequence / TWO_TO_30);
  const low = sequence % TWO_TO_30;
  const check = checkOf(run, experiment, high, low, store);
  const third = 0x8000 | high;
  const fourth = (0x8000_0000 | low) >>> 0;
  return `${hex32(run)}-${hex16(experiment)}-${hex16(third)}-${hex16(fourth >>> 16)}-${hex16(fourth & 0xffff)}${hex32(check)}`;
}

/** What an id says; undefined for one that is not of this store. */
export function parseRecommendationId(id: string, store: number): RecommendationName | undefined {
  if (id.length !== RECOMMENDATION_ID_LENGTH || !UUID.test(id)) return undefined;
  const run = Number.parseInt(id.slice(0, 8), 16);
  const experiment = Number.parseInt(id.slice(9, 13), 16);
  const high = Number.parseInt(id.slice(14, 18), 16) & 0x0fff;
  const low = (Number.parseInt(id.slice(19, 23) + id.slice(24, 28), 16) & 0x3fff_ffff) >>> 0;
  if (Number.parseInt(id.slice(28), 16) !== checkOf(run, experiment, high, low, store)) return undefined;
  return { run, experiment, sequence: high * TWO_TO_30 + low };
}

/** How all ids of a run begin. */
export function prefixOfRun(run: number): string {
  return `${hex32(run)}-`;
}

/** MurmurHash3's mixing of 32-bit words (Appleby 2011). */
function checkOf(run: number, experiment: number, high: number, low: number, store: number): number {
  let hash = store | 0;
  hash = mixIn(hash, run);
  hash = mixIn(hash, (experiment << 12) | high);
  hash = mixIn(hash, low);
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85eb_ca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function mixIn(hash: number, word: number): number {
  let mixed = Math.imul(word, 0xcc9e_2d51);
  mixed = Math.imul((mixed << 15) | (mixed >>> 17), 0x1b87_3593);
  const sum = hash ^ mixed;
  return (Math.imul((sum << 13) | (sum >>> 19), 5) + 0xe654_6b64) | 0;
}

function hex16(word: number): string {
  return HEX[word >>> 8] + HEX[word & 0xff];
}

function hex32(word: number): string {
  return HEX[word >>> 24] + HEX[(word >>> 16) & 0xff] + HEX[(word >>> 8) & 0xff] + HEX[word & 0xff];
}
