import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { randomNumbers } from '../../../test/support/ratings.ts';
import { AccreteError } from '../../errors.ts';
import { lockPathOf } from '../link-chain.ts';
import { Link } from '../lmdb.ts';

/**
 * `spoilt-links.ts LINK SEED COUNT`: changes a link at random, so many times, opens each and uses it as the journal does.
 * A process of its own, since LMDB may end it. It prints the seed of each change before it, and how it went at the end.
 */

const PAGE = 4096;
const [path, firstSeed, count] = process.argv.slice(2);
const original = readFileSync(path);
/** Pages that LMDB follows come most often: meta pages, and those of trees. */
const followed = [0, 1, 0, 1];
for (let page = 2; page < original.length / PAGE; page++) {
  const flags = original.readUInt16LE(page * PAGE + 18);
  if (original.readBigUInt64LE(page * PAGE) === BigInt(page) && (flags === 1 || flags === 2)) followed.push(page);
}
const roots = [88, 136, PAGE + 88, PAGE + 136].map((at) => Number(original.readBigUInt64LE(at)));

const went = { sound: 0, damaged: 0 };
for (let seed = Number(firstSeed); seed < Number(firstSeed) + Number(count); seed++) {
  console.log(seed);
  const copy = `${path}-${seed}`;
  writeFileSync(copy, spoil(randomNumbers(seed)));
  try {
    await use(copy, seed % 2 === 0);
    went.sound++;
  } catch (error) {
    if (!(error instanceof AccreteError && error.reason === 'STORE_DAMAGED')) throw error;
    went.damaged++;
  }
  for (const file of [copy, lockPathOf(copy)]) rmSync(file, { force: true });
}
console.log(JSON.stringify(went));

function spoil(random: () => number): Buffer {
  const bytes = Buffer.from(original);
  const pick = (list: readonly number[]) => list[Math.floor(random() * list.length)];
  for (let n = 0; n < 1 + 2 * random(); n++) {
    const page = pick(random() < 0.5 ? [0, 1, ...roots] : followed) * PAGE;
    const at = page + Math.floor(random() * (random() < 0.8 ? 240 : PAGE));
    if (random() < 0.1) bytes.copy(bytes, page, pick(followed) * PAGE, (pick(followed) + 1) * PAGE);
    else
      bytes.fill(
        pick([0xff, 0, 0x80, Math.floor(random() * 256)]),
        at,
        Math.min(at + pick([1, 1, 2, 4, 16]), bytes.length),
      );
  }
  return random() < 0.05 ? bytes.subarray(0, Math.floor(random() * bytes.length)) : bytes;
}

async function use(file: string, readOnly: boolean): Promise<void> {
  const mapBytes = statSync(file).size + (readOnly ? 0 : 2 ** 24);
  const link = Link.open(file, { mapBytes, readOnly });
  try {
    const last = link.find('last') ?? 0;
    link.find('first');
    for (let revision = 1; revision <= link.recordCount; revision++) tolerate(() => link.get(revision));
    if (!readOnly) for (let n = 1; n < 6; n += 2) await link.append(last + n, [Buffer.alloc(99), Buffer.alloc(9999)]);
  } finally {
    await link.close();
  }
}

function tolerate(step: () => void): void {
  try {
    step();
  } catch (error) {
    if (!(error instanceof AccreteError && error.reason === 'STORE_DAMAGED')) throw error;
  }
}
