import { parentPort, workerData } from 'node:worker_threads';
import { JournalReader } from '../journal-reader.ts';

/** Reads a journal and checks that each record is the one it should be; as a thread, while another one writes it. */

/** The revisions from `from` to `to`, whose records say which they are. */
export function readAll(reader: JournalReader, from: number, to = reader.lastRevision): number[] {
  return Array.from(reader.read(from, to), ({ revision, record }) => {
    const view = new DataView(record.buffer, record.byteOffset, record.length);
    if (view.getUint32(0, true) !== revision) throw new Error(`revision ${revision} is ${view.getUint32(0, true)}`);
    if (record.length > 4 && record[record.length - 1] !== revision % 251) throw new Error(`${revision} is cut off`);
    return revision;
  });
}

/** What the thread shares with the writer: the last durable revision, and whether that was the last append. */
const DURABLE = 0;
const OVER = 1;

if (workerData?.shared && parentPort) {
  const { directory, shared } = workerData as { directory: string; shared: BigInt64Array };
  const reader = new JournalReader(directory, () => Number(Atomics.load(shared, DURABLE)));
  let last = 0;
  let failure: unknown;
  try {
    while (Atomics.load(shared, OVER) === 0n || last < reader.lastRevision) {
      // From the middle too, so that all pages are read that are written meanwhile.
      readAll(reader, Math.max(1, last - 500));
      last = readAll(reader, last + 1).at(-1) ?? last;
    }
  } catch (error) {
    failure = error;
  }
  parentPort.postMessage({ last, failure });
}
