import { mkdtempSync, rmSync } from 'node:fs';
import { open as openFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from 'lmdb';
import { LmdbJournal } from '../../server/store/lmdb-journal.ts';
import { ofRounds, type Report } from './report.ts';

/** An append to the journal beside LMDB's own put of the same bytes, each on disk before the next one, in turn. */

const part = 'durability';
const ROUNDS = 7;
const APPENDS = 60;
/** A rating, a batch of 2,000, and a group of many. */
const SIZES = [64, 64 * 1024, 1024 * 1024];
const LEAST_OF_PUT = 0.7;
const FLUSH_BYTES = 4 * 2 ** 20;
const FLUSHES = 20;

export async function benchAppends(report: Report): Promise<void> {
  report.heading("Durable appends beside LMDB's bare put of the same bytes");
  for (const size of SIZES) await besidePut(report, size);
}

async function besidePut(report: Report, size: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'accrete-bench-'));
  const bytes = Buffer.alloc(size, 7);
  const options = { noSubdir: true, encoding: 'binary', keyEncoding: 'uint32', overlappingSync: false } as const;
  const bare = open<Buffer, number>({ ...options, path: join(folder, 'bare.mdb'), mapSize: 2 ** 30 });
  const journal = await LmdbJournal.open({ directory: join(folder, 'journal'), linkBytes: 2 ** 30 });
  let key = 1;
  const runs = { put: () => bare.put(key++, bytes), append: () => journal.append([bytes]) };
  const rates = { put: [] as number[], append: [] as number[] };
  try {
    for (let round = 0; round <= ROUNDS; round++) {
      for (const name of round % 2 === 0 ? (['put', 'append'] as const) : (['append', 'put'] as const)) {
        const beganMs = performance.now();
        for (let n = 0; n < APPENDS; n++) await runs[name]();
        if (round > 0) rates[name].push((APPENDS / (performance.now() - beganMs)) * 1000);
      }
    }
  } finally {
    await journal.close();
    await bare.close();
    rmSync(folder, { recursive: true });
  }
  const text = size < 1024 ? `${size} bytes` : `${size / 1024} KiB`;
  report.add({ part, name: `put of ${text} by LMDB`, ...ofRounds(rates.put), unit: 'puts/s' });
  report.add({ part, name: `append of ${text} to the journal`, ...ofRounds(rates.append), unit: 'appends/s' });
  const ratios = rates.append.map((rate, round) => rate / rates.put[round]);
  report.add({ part, name: '  times the put', ...ofRounds(ratios), unit: '', target: { atLeast: LEAST_OF_PUT } });
}

/** Milliseconds that a write of 4 MiB and its way to the disk take, the shortest first. */
export async function flushTimes(folder: string): Promise<number[]> {
  const path = join(folder, 'flush.bin');
  const file = await openFile(path, 'w');
  const times: number[] = [];
  const bytes = Buffer.alloc(FLUSH_BYTES, 7);
  for (let n = 0; n < FLUSHES; n++) {
    const beganMs = performance.now();
    await file.write(bytes, 0, bytes.length, n * FLUSH_BYTES);
    await file.datasync();
    times.push(performance.now() - beganMs);
  }
  await file.close();
  rmSync(path);
  return times.sort((a, b) => a - b);
}
