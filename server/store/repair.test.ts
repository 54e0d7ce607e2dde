import assert from 'node:assert/strict';
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { RateRequest } from '../../proto/gen/accrete/v1/recommender.ts';
import { encodeControl } from './control.ts';
import { linksIn, makeFolder, openIn, range } from './journal-fixture.ts';
import { linkName } from './link-chain.ts';
import { LINK_BYTES_MIN, LmdbJournal } from './lmdb-journal.ts';
import { encodeRecord } from './record.ts';
import { repairJournal } from './repair.ts';
import { planRepair } from './repair-plan.ts';

/** What is kept of a damaged journal, and that it is kept. */

const RATINGS = 40;

function recordAt(revision: number): Uint8Array {
  if (revision === 1) return encodeControl({ type: 'resumed' });
  const itemId = `${revision}`.padEnd(60, '-');
  const ratings = Array.from({ length: RATINGS }, (_, n) => ({ userId: `user-${n}`, itemId, value: 3 }));
  const payload = RateRequest.encode(RateRequest.fromPartial({ ratings })).finish();
  return encodeRecord({ type: 'ratings', receivedAtMs: revision, namespace: '', payload });
}

interface Chain {
  readonly directory: string;
  readonly links: readonly string[];
  /** First revisions. */
  readonly firsts: readonly number[];
  readonly records: readonly Uint8Array[];
  readonly last: number;
}

async function makeChain(t: TestContext, links = 3): Promise<Chain> {
  const directory = join(makeFolder(t), 'journal');
  const journal = await LmdbJournal.open({ directory, linkBytes: LINK_BYTES_MIN });
  const records: Uint8Array[] = [];
  while (journal.size().linkCount < links || records.length % 300 > 0) {
    const more = range(records.length + 1, records.length + 60).map(recordAt);
    await journal.append(more);
    records.push(...more);
  }
  await journal.close();
  const names = linksIn(directory);
  return {
    directory,
    links: names,
    firsts: names.map((name) => Number.parseInt(name, 10)),
    records,
    last: records.length,
  };
}

/** Changes a byte in the middle of a record where it lies in its file. */
function damageRecord({ directory, links, firsts }: Chain, revision: number): void {
  const path = join(directory, links[firsts.findLastIndex((first) => first <= revision)]);
  const bytes = readFileSync(path);
  const at = bytes.lastIndexOf(`${revision}`.padEnd(60, '-'));
  assert(at > 0);
  bytes[at + 20] ^= 0x10;
  writeFileSync(path, bytes);
}

/** Repairs, and reads all that is left by LMDB; `kept`: up to which revision. */
async function repaired(
  t: TestContext,
  chain: Chain,
  checkpoints: readonly number[] = [],
): Promise<{ from: number; kept: number; takenTo: string }> {
  const plan = planRepair(chain.directory, checkpoints);
  const takenTo = join(chain.directory, '..', 'damaged');
  await repairJournal(chain.directory, plan, takenTo);
  const journal = await openIn(t, chain.directory);
  const { firstRevision: from, lastRevision: kept } = journal;
  const read = Array.from(journal.read(from), ({ record }) => Buffer.from(record).toString('base64'));
  assert.deepEqual(
    read,
    chain.records.slice(from - 1, kept).map((record) => Buffer.from(record).toString('base64')),
  );
  assert.equal(planRepair(chain.directory).damage, undefined);
  // It goes on where it was cut.
  await journal.append([recordAt(kept + 1)]);
  assert.equal(journal.lastRevision, kept + 1);
  await journal.close();
  return { from, kept, takenTo };
}

test('a whole journal, and none, have nothing to repair', async (t) => {
  const { directory, last } = await makeChain(t);
  const { damage, keep, drop, taken, rewritten } = planRepair(directory);
  assert.deepEqual([damage, keep.from, keep.to, keep.ratings], [undefined, 1, last, RATINGS * (last - 1)]);
  assert.deepEqual([drop.to - drop.from, drop.readable, taken, rewritten], [-1, 0, [], []]);
  const nothing = planRepair(join(directory, 'none'));
  assert.deepEqual([nothing.damage, nothing.keep.from, nothing.keep.to], [undefined, 1, 0]);
});

test('a damaged record in the middle: its link is cut before it, what follows is taken away, and nothing is lost', async (t) => {
  const chain = await makeChain(t);
  const before = chain.links.map((name) => readFileSync(join(chain.directory, name)));
  const revision = chain.firsts[1] + 20;
  damageRecord(chain, revision);
  const damaged = readFileSync(join(chain.directory, chain.links[1]));
  const { damage, keep, drop, taken, rewritten } = planRepair(chain.directory);
  assert.equal(damage?.revision, revision);
  assert.match(damage?.what ?? '', new RegExp(`revision ${revision} .* checksum is wrong`));
  assert.deepEqual([keep.from, keep.to, keep.ratings], [1, revision - 1, RATINGS * (revision - 2)]);
  assert.deepEqual([drop.from, drop.to, drop.readable], [revision, chain.last, chain.last - revision]);
  assert.equal(drop.ratings, RATINGS * drop.readable);
  assert.deepEqual(taken, chain.links.slice(2).toReversed());
  assert.deepEqual(
    rewritten.map(({ name }) => name),
    [chain.links[1]],
  );
  const { kept, takenTo } = await repaired(t, chain);
  assert.equal(kept, revision - 1);
  assert.deepEqual(readFileSync(join(takenTo, chain.links[1])), damaged);
  for (const n of [2, chain.links.length - 1]) assert.deepEqual(readFileSync(join(takenTo, chain.links[n])), before[n]);
  assert.deepEqual(readFileSync(join(chain.directory, chain.links[0])), before[0], 'whole links stay as they are');
});

test('the first and the last record of a link, and the first of all', async (t) => {
  for (const find of [
    ({ firsts }: Chain) => firsts[1],
    ({ firsts }: Chain) => firsts[2] - 1,
    ({ last }: Chain) => last,
    () => 2,
  ]) {
    const chain = await makeChain(t);
    const revision = find(chain);
    damageRecord(chain, revision);
    assert.equal(planRepair(chain.directory).damage?.revision, revision);
    assert.equal((await repaired(t, chain)).kept, revision - 1);
  }
});

test('a missing link', async (t) => {
  const chain = await makeChain(t);
  rmSync(join(chain.directory, chain.links[1]));
  const { damage, drop } = planRepair(chain.directory);
  assert.match(damage?.what ?? '', new RegExp(`revisions ${chain.firsts[1]}..${chain.firsts[2] - 1} are missing`));
  assert.deepEqual(
    [drop.from, drop.to, drop.readable],
    [chain.firsts[1], chain.last, chain.last - chain.firsts[2] + 1],
  );
  assert.equal((await repaired(t, chain)).kept, chain.firsts[1] - 1);
});

test('a link that was cut off, or is garbage, or empty', async (t) => {
  const spoilt: [(path: string) => void, boolean][] = [
    [(path) => truncateSync(path, 400_000), true],
    [(path) => truncateSync(path, 5000), false],
    [(path) => truncateSync(path, 0), false],
    [(path) => writeFileSync(path, Buffer.alloc(300_000, 'garbage ')), false],
    [(path) => writeFileSync(path, readFileSync(path).fill(0xff, 100_000, 140_000)), true],
  ];
  for (const [spoil, keepsSome] of spoilt) {
    const chain = await makeChain(t);
    spoil(join(chain.directory, chain.links[1]));
    const { kept, takenTo } = await repaired(t, chain);
    assert(kept >= chain.firsts[1] - 1 && kept < chain.firsts[2] - 1, String(kept));
    if (!keepsSome) assert.equal(kept, chain.firsts[1] - 1);
    for (const name of chain.links.slice(1)) assert(existsSync(join(takenTo, name)));
  }
});

test('a link that was cut off before its root, or whose root is damaged, keeps what its pages have', async (t) => {
  for (const end of [600_000, 250_000, undefined]) {
    const chain = await makeChain(t);
    const path = join(chain.directory, chain.links[1]);
    const bytes = readFileSync(path);
    const newer = bytes.readBigUInt64LE(152) > bytes.readBigUInt64LE(4096 + 152) ? 0 : 4096;
    // Both roots, or those of the last append alone would be missing.
    const roots = [136, 4096 + 136].map((at) => Number(bytes.readBigUInt64LE(at)) * 4096);
    for (const root of roots) bytes.fill(0xff, root, root + 4096);
    writeFileSync(path, bytes.subarray(0, end));
    const inLink = chain.firsts[2] - chain.firsts[1];
    assert.equal(Number(bytes.readBigUInt64LE(newer + 128)), inLink);
    const { kept } = await repaired(t, chain);
    const found = kept - chain.firsts[1] + 1;
    if (end === undefined) assert.equal(kept, chain.last, 'no record is lost with a root');
    else assert(found > (0.8 * inLink * end) / bytes.length && found < inLink, `${found} of ${inLink} at ${end}`);
  }
});

test('a link whose meta page is damaged is read by the other one, and by its pages', async (t) => {
  for (const at of [0, 4096]) {
    const chain = await makeChain(t);
    const path = join(chain.directory, chain.links.at(-1) as string);
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.fill(0xff, at, at + 1000));
    const { damage, drop } = planRepair(chain.directory);
    assert(damage);
    // The last append is all that only the newer one knows, and its pages are there.
    const { kept } = await repaired(t, chain);
    assert.equal(kept, chain.last);
    assert(drop.from === kept + 1);
  }
});

test('a meta page that fell behind: the other one knows more', async (t) => {
  const chain = await makeChain(t);
  const path = join(chain.directory, chain.links.at(-1) as string);
  const bytes = readFileSync(path);
  const newer = bytes.readBigUInt64LE(152) > bytes.readBigUInt64LE(4096 + 152) ? 0 : 4096;
  bytes.writeBigUInt64LE(0n, newer + 152);
  writeFileSync(path, bytes);
  assert.match(planRepair(chain.directory).damage?.what ?? '', /do not belong together/);
  assert.equal((await repaired(t, chain)).kept, chain.last);
});

test('damage that costs no record: the link is written anew, and all is kept', async (t) => {
  const chain = await makeChain(t);
  const path = join(chain.directory, chain.links[1]);
  const bytes = readFileSync(path);
  const newer = bytes.readBigUInt64LE(152) > bytes.readBigUInt64LE(4096 + 152) ? 0 : 4096;
  bytes.fill(
    0xff,
    Number(bytes.readBigUInt64LE(newer + 88)) * 4096,
    (Number(bytes.readBigUInt64LE(newer + 88)) + 1) * 4096,
  );
  writeFileSync(path, bytes);
  const { damage, drop, rewritten } = planRepair(chain.directory);
  assert.match(damage?.what ?? '', /does not hold free lists/);
  assert.deepEqual([drop.to - drop.from, rewritten.length], [-1, 1]);
  assert.equal((await repaired(t, chain)).kept, chain.last);
});

test('a file that holds what another one holds too is taken away', async (t) => {
  const chain = await makeChain(t);
  copyFileSync(join(chain.directory, chain.links[1]), join(chain.directory, linkName(chain.firsts[1] - 1)));
  const { damage, taken, drop } = planRepair(chain.directory);
  assert.match(damage?.what ?? '', /which a file before it holds too/);
  assert.deepEqual([taken, drop.to - drop.from], [[linkName(chain.firsts[1] - 1)], -1]);
  assert.equal((await repaired(t, chain)).kept, chain.last);
});

test('a repair that was cut off leaves a journal that is refused or whole, and is repaired by the next one', async (t) => {
  const chain = await makeChain(t, 4);
  damageRecord(chain, chain.firsts[1] + 20);
  const plan = planRepair(chain.directory);
  const takenTo = join(chain.directory, '..', 'first');
  // It fails when all links behind the damaged one are gone.
  await assert.rejects(repairJournal(chain.directory, { ...plan, taken: [...plan.taken, 'gone.mdb'] }, takenTo), {
    message: /what was taken out of it is in .*first/,
  });
  assert.deepEqual(
    readdirSync(takenTo).filter((name) => name.endsWith('.mdb')),
    plan.taken.toReversed(),
  );
  assert.equal(planRepair(chain.directory).damage?.revision, plan.damage?.revision);
  assert.equal((await repaired(t, chain)).kept, chain.firsts[1] + 19);
});

test('what a checkpoint has learned is kept with the records after the damage', async (t) => {
  const chain = await makeChain(t);
  const revision = chain.firsts[1] + 20;
  damageRecord(chain, revision);
  const { keep, past, drop, taken, rewritten } = planRepair(chain.directory, [revision + 100, revision + 5]);
  assert.deepEqual([keep.from, keep.to, keep.ratings], [revision + 1, chain.last, RATINGS * (chain.last - revision)]);
  assert.deepEqual([past.from, past.to, past.readable, past.checkpoint], [1, revision, revision - 1, revision + 100]);
  assert.deepEqual([drop.to - drop.from, drop.readable, taken], [-1, 0, [chain.links[0]]]);
  assert.deepEqual(
    rewritten.map(({ name, as }) => [name, as]),
    [[chain.links[1], linkName(revision + 1)]],
  );
  const { from, kept, takenTo } = await repaired(t, chain, [revision + 100, revision + 5]);
  assert.deepEqual([from, kept], [revision + 1, chain.last]);
  for (const name of chain.links.slice(0, 2)) assert(existsSync(join(takenTo, name)));
});

test('a checkpoint that ends before the damage, or at it, and damage on both sides of one', async (t) => {
  for (const [damaged, checkpoint, wanted] of [
    [[220], 200, [1, 219]],
    [[220], 219, [1, 219]],
    [[220], 220, [221, 'last']],
    [[220, 260], 240, [221, 259]],
    [[220, 221], 220, [221, 220]],
    [['last'], 'last', ['end', 'last']],
  ] as const) {
    const chain = await makeChain(t);
    const numberOf = (place: number | 'last' | 'end') =>
      place === 'last' ? chain.last : place === 'end' ? chain.last + 1 : place;
    for (const each of damaged) damageRecord(chain, numberOf(each));
    const { from, kept } = await repaired(t, chain, [numberOf(checkpoint)]);
    assert.deepEqual([from, kept], wanted.map(numberOf), `damage at ${damaged}, checkpoint at ${checkpoint}`);
  }
});

test('a checkpoint beyond all that is left goes on with an empty journal', async (t) => {
  const chain = await makeChain(t);
  rmSync(join(chain.directory, chain.links[2]));
  for (const name of chain.links.slice(3)) rmSync(join(chain.directory, name));
  const { from, kept, takenTo } = await repaired(t, chain, [chain.last - 5]);
  assert.deepEqual([from, kept], [chain.last - 4, chain.last - 5]);
  for (const name of chain.links.slice(0, 2)) assert(existsSync(join(takenTo, name)));
});

test('where the first records were let go before, only a checkpoint makes the rest of use', async (t) => {
  const chain = await makeChain(t, 4);
  rmSync(join(chain.directory, chain.links[0]));
  damageRecord(chain, chain.firsts[2] + 5);
  const { keep, past } = planRepair(chain.directory, [chain.firsts[1] + 7]);
  assert.deepEqual([keep.from, keep.to, past.to], [chain.firsts[1], chain.firsts[2] + 4, chain.firsts[1] - 1]);
  assert.equal((await repaired(t, chain, [chain.firsts[2] + 5])).from, chain.firsts[2] + 6);
});

test('a repair that was cut off at any step keeps as much when it is done again', async (t) => {
  const steps = { link: 'gone-1.mdb', after: linkName(10 ** 6) };
  for (const name of Object.values(steps)) {
    const chain = await makeChain(t, 4);
    const revision = chain.firsts[1] + 20;
    damageRecord(chain, revision);
    damageRecord(chain, chain.firsts[3] + 3);
    const checkpoints = [revision + 100];
    const plan = planRepair(chain.directory, checkpoints);
    const cut = { ...plan, taken: [...plan.taken.slice(0, -1), name, ...plan.taken.slice(-1)] };
    await assert.rejects(repairJournal(chain.directory, cut, join(chain.directory, '..', 'first')));
    const { from, kept } = await repaired(t, chain, checkpoints);
    assert.deepEqual([from, kept], [revision + 1, chain.firsts[3] + 2]);
  }
});
