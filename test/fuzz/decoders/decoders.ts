import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { Failure } from '../../../clients/cli/failure.ts';
import { itemForm } from '../../../clients/cli/import/item-form.ts';
import { ratingForm } from '../../../clients/cli/import/rating-form.ts';
import { openRows } from '../../../clients/cli/import/row-file.ts';
import type { Form } from '../../../clients/cli/import/row-reader.ts';
import { UpsertItemsRequest } from '../../../proto/gen/accrete/v1/catalog.ts';
import { RateRequest } from '../../../proto/gen/accrete/v1/recommender.ts';
import { loadConfig } from '../../../server/config/load.ts';
import { AccreteError } from '../../../server/errors.ts';
import { findPagePosition, isNumber, isText, makePageToken } from '../../../server/serving/page-token.ts';
import { encodeShown, findShown } from '../../../server/serving/shown.ts';
import { encodeControl } from '../../../server/store/control.ts';
import { decodeItems, decodeUsers } from '../../../server/store/feature-codec.ts';
import { findFormat, requireFormat } from '../../../server/store/format.ts';
import { RATINGS_MAX, RatingBatch } from '../../../server/store/rating-batch.ts';
import { decodeRateRequest } from '../../../server/store/rating-codec.ts';
import { encodeRecord, type RecordType } from '../../../server/store/record.ts';
import { countRatings } from '../../../server/store/record-contents.ts';
import type { Decoder } from './decoder.ts';
import { STORED } from './stored.ts';

/** What is read of a journal, and what comes from outside. */

const rate = Buffer.from(
  RateRequest.encode(
    RateRequest.fromPartial({
      requestId: 'r',
      ratings: [
        { userId: 'ann', itemId: 'matrix', value: 3, eventTime: { seconds: 5n, nanos: 1 }, weight: 2 },
        { userId: 'ben', itemId: 'alien', kind: 'click', retract: true },
      ],
    }),
  ).finish(),
);
const items = Buffer.from(
  UpsertItemsRequest.encode(
    UpsertItemsRequest.fromPartial({
      items: [
        { itemId: 'matrix', labels: ['a'], attributes: { year: 1999 }, embeddings: { text: { values: [1, 2] } } },
      ],
      updateMask: ['labels', 'available_from'],
    }),
  ).finish(),
);
const recordOf = (payload: Buffer, type: RecordType) =>
  Buffer.from(encodeRecord({ type, receivedAtMs: 1, namespace: 'n', payload }));

const batch = new RatingBatch(RATINGS_MAX);
const folder = mkdtempSync(join(tmpdir(), 'accrete-fuzz-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const scope = ['ListItems', 'labels:"x"'];
const request = Buffer.from('a request');

const CSV = 'userId,movieId,rating,timestamp,kind\nann,1,3.5,1000000000,\n"b ""en",2,4,2001-02-03T04:05:06Z,click\n';
const JSONL = '{"user":"ann","item":"1","value":3,"time":5}\n{"user":"ben","item":"2","kind":"click","retract":true}\n';
const ITEMS = 'movieId,title,genres\n1,Toy Story (1995),Adventure|Children\n2,"Heat, (1995)",\n';
const CONFIG = `
listen: 127.0.0.1:0
rating: {min: 1, max: 5}
kinds:
  click: {weight: 0.2}
models: [{name: mf, plugin: mf, config: &c {k: 8}}, {name: b, plugin: mf, config: *c}]
`;

export const DECODERS: Readonly<Record<string, Decoder>> = {
  'a record': {
    samples: [recordOf(rate, 'ratings'), recordOf(items, 'items'), Buffer.from(encodeControl({ type: 'resumed' }))],
    refuses: ['STORE_DAMAGED'],
    read: (bytes) => countRatings(bytes, 7),
  },
  'what a record holds': {
    samples: [rate, items, Buffer.from('{"type":"scenario","name":"x","scenario":null}')],
    refuses: ['STORE_DAMAGED'],
    read: (bytes, draws) => countRatings(recordOf(bytes, draws.pick(['ratings', 'items', 'users', 'control'])), 7),
  },
  ratings: {
    samples: [rate],
    refuses: ['MALFORMED_MESSAGE'],
    read: (bytes) => {
      decodeRateRequest(bytes, batch);
      for (let n = 0; n < Math.min(batch.count, 100); n++) {
        batch.text(batch.userStart[n], batch.userLength[n]);
        assert(batch.itemStart[n] + batch.itemLength[n] <= bytes.length || batch.itemLength[n] === 0);
      }
    },
  },
  features: {
    samples: [items],
    // Generated code and the protobuf library: their errors are told by those who call them.
    refuses: ['Error', 'RangeError', 'TypeError'],
    read: (bytes, draws) => {
      const { entries } = draws.chance(0.5) ? decodeItems(bytes) : decodeUsers(bytes);
      for (const { merge } of entries) merge(undefined);
    },
  },
  'format.json': {
    samples: [Buffer.from('{"store":"accrete","format":2}\n'), Buffer.from('{"store":"accrete","format":1}')],
    refuses: ['STORE_DAMAGED', 'STORE_TOO_NEW'],
    read: async (bytes) => {
      writeFileSync(join(folder, 'format.json'), bytes);
      const format = findFormat(folder);
      assert(format === undefined || format >= 1);
      await requireFormat(folder);
    },
  },
  'tokens of pages': {
    samples: [Buffer.from(makePageToken(scope, 17)), Buffer.from(makePageToken(scope, 'mf'))],
    refuses: [],
    read: (bytes) => {
      const position = findPagePosition(scope, bytes.toString(), isNumber) ?? 0;
      assert(Number.isSafeInteger(position) && position >= 0);
      assert.equal(typeof (findPagePosition(scope, bytes.toString(), isText) ?? ''), 'string');
    },
  },
  'tokens of recommendations': {
    samples: [Buffer.from([2, 0x6d, 0x66, 1, 2, 3, 0xff, 1]), Buffer.from([0, 5, 5, 5])],
    refuses: [],
    // Whoever makes one can give it the right fingerprint.
    read: (bytes) => {
      const fingerprint = createHash('sha1').update(bytes).update(request).digest().subarray(0, 8);
      const shown = findShown(Buffer.concat([fingerprint, bytes]).toString('base64url'), request);
      for (const entry of shown?.entries ?? []) assert(Number.isInteger(entry) && entry >= 0 && entry < 2 ** 32);
      if (shown) encodeShown(shown, request);
    },
  },
  'a configuration': {
    samples: [Buffer.from(CONFIG)],
    refuses: ['CONFIG_INVALID'],
    read: (bytes) => {
      const file = join(folder, 'accrete.yaml');
      writeFileSync(file, bytes);
      loadConfig({ file, env: {}, flags: [] });
    },
  },
  'a file of ratings': {
    samples: [CSV, JSONL, CSV.replaceAll(',', '\t'), '1::2::3::4\n'].flatMap(packed),
    refuses: ['BAD_FILE', 'DAMAGED_FILE'],
    read: (bytes) => readRows(bytes, ratingForm({})),
  },
  'a file of items': {
    samples: [ITEMS, '{"item_id":"a","specs":{"ram":5},"labels":["x"]}\n'].flatMap(packed),
    refuses: ['BAD_FILE', 'DAMAGED_FILE'],
    read: (bytes) => readRows(bytes, itemForm()),
  },
  ...STORED,
};

function packed(text: string): Buffer[] {
  const bytes = Buffer.from(text);
  return [bytes, gzipSync(bytes), zstdCompressSync(bytes)];
}

/** Every row is one, or says what is wrong with it. */
async function readRows<Row>(bytes: Buffer, form: Form<Row>): Promise<void> {
  const file = join(folder, 'rows');
  writeFileSync(file, bytes);
  const { rows } = await openRows(file, form);
  for await (const piece of rows) {
    for (const row of piece.rows as { line: number; problem?: string }[]) {
      assert(row.line >= 1);
      assert.notEqual(row.problem, '');
    }
  }
}

/** What a failure is called. */
export function reasonOf(error: unknown): string {
  if (error instanceof AccreteError || error instanceof Failure) return error.reason;
  return error instanceof assert.AssertionError ? 'ASSERTION' : (error as Error).name;
}
