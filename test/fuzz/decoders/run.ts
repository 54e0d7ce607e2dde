import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { JournalReader } from '../../../server/store/journal-reader.ts';
import { linkName } from '../../../server/store/link-chain.ts';
import { Link } from '../../../server/store/lmdb.ts';
import { encodeRecord } from '../../../server/store/record.ts';
import { countRatings } from '../../../server/store/record-contents.ts';
import { planRepair } from '../../../server/store/repair-plan.ts';
import { makeFolder } from '../../support/temporary-folder.ts';
import { type Budget, Draws } from '../budget.ts';
import { mutate } from '../wire/bodies.ts';
import { DECODERS, reasonOf } from './decoders.ts';

/** Reading takes no more of a processor, whatever there is to be read. */
const READ_MS_MAX = 3000;
/** Of a text or a message: larger ones take longer, and find no more. */
const BYTES_MAX = 200_000;

export async function fuzzDecoder(name: string, { seed, rounds }: Budget): Promise<void> {
  const { samples, refuses, read } = DECODERS[name];
  const draws = new Draws(seed);
  for (let n = 1; n <= rounds; n++) {
    const { what, body } = mutate(draws.pick(samples), draws);
    const bytes = body.subarray(0, BYTES_MAX);
    const startMs = cpuMs();
    try {
      await read(bytes, draws);
    } catch (error) {
      const about = `input ${n} of seed ${seed}, ${what}: ${(error as Error).stack}`;
      assert(refuses.includes(reasonOf(error)), about);
    }
    assert(cpuMs() - startMs < READ_MS_MAX, `input ${n} of seed ${seed}, ${what}, took too long`);
  }
}

/** Of this thread: what others take of the machine meanwhile is nobody's fault. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** Links changed at random: what is read is as it was written, or is damage, and a repair keeps only what is right. */
export async function fuzzLinks(t: TestContext, { seed, rounds }: Budget): Promise<void> {
  const folder = makeFolder(t);
  const draws = new Draws(seed);
  const records = Array.from({ length: 150 }, (_, n) =>
    Buffer.from(encodeRecord({ type: 'ratings', receivedAtMs: n, namespace: '', payload: rateOf(n, draws) })),
  );
  const original = join(folder, linkName(1));
  await Link.create(original);
  const link = Link.open(original, { mapBytes: 2 ** 26, readOnly: false });
  for (let first = 1; first <= records.length; first += 10)
    await link.append(first, records.slice(first - 1, first + 9));
  await link.close();
  const bytes = readFileSync(original);
  const directory = join(folder, 'journal');
  mkdirSync(directory);
  for (let n = 1; n <= rounds; n++) {
    writeFileSync(join(directory, linkName(1)), spoil(bytes, draws));
    const about = `link ${n} of seed ${seed}`;
    const startMs = cpuMs();
    requireRightOrDamaged(directory, records, about);
    const { keep, damage } = planRepair(directory);
    assert(keep.to <= records.length && keep.from === 1 && (damage !== undefined || keep.to === records.length), about);
    assert(cpuMs() - startMs < READ_MS_MAX, `${about} took too long`);
  }
}

/** Empty fields that nobody knows make records of several sizes. */
function rateOf(n: number, draws: Draws): Buffer {
  return Buffer.concat([
    Buffer.from([0xf2, 0x07, 0x80 | (n & 0x7f), 0x7e]),
    Buffer.alloc((n & 0x7f) + 0x7e * 128, draws.below(9)),
  ]).subarray(0, n % 3 === 0 ? undefined : 0);
}

function spoil(original: Buffer, draws: Draws): Buffer {
  const bytes = Buffer.from(original);
  const pages = bytes.length / 4096;
  for (let n = draws.size(4); n > 0; n--) {
    const page = (draws.chance(0.4) ? draws.below(2) : draws.below(pages)) * 4096;
    const at = page + draws.below(draws.chance(0.8) ? 200 : 4096);
    if (draws.chance(0.1)) bytes.copy(bytes, page, draws.below(pages) * 4096, draws.below(pages) * 4096 + 4096);
    else bytes.fill(draws.pick([0, 0xff, 0x80, draws.below(256)]), at, at + draws.size(16));
  }
  return draws.chance(0.1) ? bytes.subarray(0, draws.below(bytes.length)) : bytes;
}

function requireRightOrDamaged(directory: string, records: readonly Buffer[], about: string): void {
  const reader = new JournalReader(directory, () => records.length);
  for (let from = 1; from <= records.length; from += 37) {
    try {
      for (const { revision, record } of reader.read(from)) {
        countRatings(record, revision);
        assert(Buffer.compare(record, records[revision - 1]) === 0, `${about}: revision ${revision} is another record`);
      }
    } catch (error) {
      assert.equal(reasonOf(error), 'STORE_DAMAGED', `${about}: ${(error as Error).stack}`);
    }
  }
}
