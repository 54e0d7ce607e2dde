import { type Control, decodeControl } from '../store/control.ts';
import { decodeExposures, type Exposures } from '../store/exposure-codec.ts';
import { decodeItems, decodeUsers, type FeatureEntry } from '../store/feature-codec.ts';
import { RATINGS_MAX, RatingBatch } from '../store/rating-batch.ts';
import { decodeRateRequest } from '../store/rating-codec.ts';
import { decodeRecord } from '../store/record.ts';
import { ofRecord } from '../store/record-contents.ts';

/** A record of the journal with what it holds. */
export type ReadRecord = { readonly revision: number } & (
  | { readonly type: 'ratings'; readonly receivedAtMs: number; readonly batch: RatingBatch }
  | { readonly type: 'items'; readonly entries: readonly FeatureEntry[] }
  | { readonly type: 'users'; readonly entries: readonly FeatureEntry[] }
  | { readonly type: 'exposures'; readonly exposures: Exposures }
  | { readonly type: 'control'; readonly control: Control }
);

/** Reads records once for all who follow them. A batch is valid until the next record. */
export class RecordReader {
  readonly #batch = new RatingBatch(RATINGS_MAX);

  /** Throws STORE_DAMAGED. */
  read(revision: number, bytes: Uint8Array): ReadRecord {
    const { type, receivedAtMs, payload } = decodeRecord(bytes, revision);
    return ofRecord(revision, (): ReadRecord => {
      switch (type) {
        case 'ratings':
          decodeRateRequest(payload, this.#batch);
          return { type, revision, receivedAtMs, batch: this.#batch };
        case 'items':
          return { type, revision, entries: decodeItems(payload).entries };
        case 'users':
          return { type, revision, entries: decodeUsers(payload).entries };
        case 'exposures':
          return { type, revision, exposures: decodeExposures(payload) };
        case 'control':
          return { type, revision, control: decodeControl(payload) };
      }
    });
  }
}
