import { encodeExportedRatings } from '../store/export-codec.ts';
import { RATINGS_MAX, RatingBatch } from '../store/rating-batch.ts';
import { decodeRateRequest } from '../store/rating-codec.ts';
import { decodeRecord } from '../store/record.ts';
import type { JobContext } from './job-context.ts';

/** Which records to export; without `from` the oldest that is held. */
export interface ExportTask {
  readonly from: number | undefined;
  readonly to: number;
}

/** Messages of the wire (`ExportRatingsResponse`), in order. */
export type ExportChunk = readonly Uint8Array[];

/** Messages that travel together between threads have so many bytes, or are so many. */
const CHUNK_BYTES = 256 * 1024;
const CHUNK_MESSAGES = 1000;

/** Every accepted rating of a range of records, as it came. Records of other types are passed over. */
export function* exportRatings({ from, to }: ExportTask, { journal, meter }: JobContext): Generator<ExportChunk> {
  const batch = new RatingBatch(RATINGS_MAX);
  const first = from ?? journal.firstRevision;
  let chunk: Uint8Array[] = [];
  let bytes = 0;
  meter.begin('export', 'records', to - first + 1);
  for (const { revision, record } of journal.read(first, to)) {
    meter.add();
    const { type, receivedAtMs, payload } = decodeRecord(record, revision);
    if (type !== 'ratings') continue;
    decodeRateRequest(payload, batch);
    for (const message of encodeExportedRatings(batch, revision, receivedAtMs)) {
      chunk.push(message);
      bytes += message.length;
      if (bytes < CHUNK_BYTES && chunk.length < CHUNK_MESSAGES) continue;
      yield chunk;
      chunk = [];
      bytes = 0;
    }
  }
  if (chunk.length > 0) yield chunk;
}
