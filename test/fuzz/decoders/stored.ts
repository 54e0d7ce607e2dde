import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { encodeFacts, FACTS, SUMS } from '../../../server/store/archive/facts.ts';
import { sumLine } from '../../../server/store/archive/pack.ts';
import { decodeHeader, END, encodeHeader, paddingOf } from '../../../server/store/archive/tar.ts';
import { unpackStore } from '../../../server/store/archive/unpack.ts';
import {
  CHECKPOINT_FORMAT,
  decodeManifest,
  encodeManifest,
  type Manifest,
} from '../../../server/store/checkpoints/manifest.ts';
import { encodeControl } from '../../../server/store/control.ts';
import { Notes } from '../../../server/store/forget/notes.ts';
import { checkModelFile } from '../../../server/store/models/check.ts';
import { openModelFile } from '../../../server/store/models/model-file.ts';
import { makeModelBytes } from '../../../server/store/models/testing/file-maker.ts';
import type { Draws } from '../budget.ts';
import type { Decoder } from './decoder.ts';

/**
 * What reads the files of a store besides the journal's records. Where a checksum stands before all else it is mostly set
 * right again, so that what comes after it is reached.
 */

const MANIFEST: Manifest = {
  ...{ format: CHECKPOINT_FORMAT, revision: 7, createdMs: 1e12, durationMs: 1 },
  decided: {
    ...{ rating: { min: 1, max: 5 }, evaluation: { rankEvery: 1, window: 1 }, defaultModel: 'mf' },
    ...{ models: [], kinds: {}, configured: {}, scenarios: [] },
  },
  models: [{ name: 'mf', plugin: 'mf', version: '1', loadedMs: 1, stateVersion: 1, config: {} }],
  tables: { 'users.rows': { columns: { at: { type: 'u32', width: 1 } }, rows: 1, pieces: [[7, 1, 4, 5]] } } as never,
  blocks: { items: { rows: 1, segmentRows: 1, pieces: [[[7, 2, 4, 5]]] } },
};

const folder = mkdtempSync(join(tmpdir(), 'accrete-fuzz-'));
mkdirSync(join(folder, 'forgetting'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

const RECORD = Buffer.from(encodeControl({ type: 'resumed' }));
const FRAMED = Buffer.concat([Buffer.from(Uint32Array.of(RECORD.length).buffer), RECORD]);
const ENTRIES: readonly Entry[] = [
  [FACTS, encodeFacts({ revision: 7, createdMs: 1e12, journalFrom: 7 })],
  ['state/00000000000000000007.mdb', Buffer.from('a checkpoint')],
  ['journal/00000000000000000007.records', FRAMED],
];

export const STORED: Readonly<Record<string, Decoder>> = {
  'a model file': {
    samples: [makeModelBytes()],
    refuses: ['FILE_FOREIGN'],
    read: (bytes) => {
      const path = join(folder, 'model');
      writeFileSync(path, bytes);
      const file = openModelFile(path);
      try {
        checkModelFile(file, () => {});
      } finally {
        file.close();
      }
    },
  },
  'the manifest of a checkpoint': {
    samples: [Buffer.from(encodeManifest(MANIFEST)).subarray(4)],
    refuses: ['STORE_DAMAGED', 'STORE_TOO_NEW'],
    read: (json, draws) => {
      const crc = Buffer.alloc(4);
      crc.writeUInt32LE(draws.chance(0.9) ? crc32(json) : draws.below(2 ** 32));
      assert.equal(decodeManifest(Buffer.concat([crc, json]), 'a.mdb').format, CHECKPOINT_FORMAT);
    },
  },
  'a note of who is to be forgotten': {
    samples: [Buffer.from('{"userId":"ann"}')],
    refuses: ['STORE_DAMAGED'],
    read: (bytes) => {
      writeFileSync(join(folder, 'forgetting', 'a.json'), bytes);
      for (const { userId } of new Notes(folder).list()) assert(typeof userId === 'string' && userId !== '');
    },
  },
  'a header of tar': {
    samples: ENTRIES.map(([path, content]) => encodeHeader({ path, bytes: content.length }, 1e12)),
    refuses: [],
    read: (bytes, draws) => {
      const header = Buffer.alloc(512);
      bytes.copy(header);
      const entry = decodeHeader(draws.chance(0.9) ? summed(header) : header);
      if (typeof entry !== 'object') return;
      assert(entry.bytes >= 0 && Number.isSafeInteger(entry.bytes));
      assert(!entry.path.startsWith('/') && !entry.path.split('/').some((part) => /^\.*$/.test(part)), entry.path);
    },
  },
  'a store as one file': {
    samples: [archiveOf(ENTRIES)],
    refuses: ['FILE_DAMAGED', 'FILE_FOREIGN', 'STORE_TOO_NEW'],
    read: unpack,
  },
  'what a store as one file holds': {
    samples: ENTRIES.map(([, content]) => content),
    refuses: ['FILE_DAMAGED', 'FILE_FOREIGN', 'STORE_TOO_NEW'],
    read: (bytes, draws) => unpack(archiveOf(changed(bytes, draws))),
  },
};

type Entry = readonly [path: string, content: Buffer];

/** One entry has other bytes; now and then one is twice, or missing. */
function changed(bytes: Buffer, draws: Draws): Entry[] {
  const n = draws.below(ENTRIES.length);
  const entries = ENTRIES.map(([path, content], k): Entry => [path, k === n ? bytes : content]);
  if (draws.chance(0.1)) entries.splice(draws.below(entries.length), 1);
  if (draws.chance(0.1)) entries.push(draws.pick(ENTRIES));
  return entries;
}

/** Whole, with all its sums right. */
function archiveOf(entries: readonly Entry[]): Buffer {
  const sums = entries.map(([path, content]) => sumLine(createHash('sha256').update(content).digest('hex'), path));
  const all: Entry[] = [...entries, [SUMS, Buffer.from(sums.join(''))]];
  const parts = all.flatMap(([path, content]) => [
    encodeHeader({ path, bytes: content.length }, 1e12),
    content,
    Buffer.alloc(paddingOf(content.length)),
  ]);
  return Buffer.concat([...parts, END]);
}

/** With the sum of its bytes where it stands in one. */
function summed(header: Buffer): Buffer {
  header.fill(' ', 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

async function unpack(bytes: Buffer): Promise<void> {
  const pieces = (async function* () {
    yield bytes;
  })();
  const taker = {
    begin: async () => {},
    file: async (_: string, content: AsyncIterable<Uint8Array>) => {
      for await (const piece of content) assert(piece.length > 0);
    },
    records: async () => {},
  };
  const { records, files } = await unpackStore(pieces, 'a.tar', taker);
  assert(files > 0 && records >= 0);
}
