import type { ConfigInput } from '../../server/config/schema.ts';
import { importStore } from '../../server/store/archive/import.ts';
import { TestServer } from './server.ts';
import type { Scope } from './temporary-folder.ts';

const PIECE_BYTES = 1000;

/** A server on the store that a checkpoint's file is made into, which comes in pieces. */
export function startImported(scope: Scope, bytes: Buffer, config: ConfigInput = {}): Promise<TestServer> {
  return TestServer.start(scope, config, (folder) =>
    importStore({ pieces: piecesOf(bytes), file: 'f', folder, linkBytes: 2 ** 20 }),
  );
}

async function* piecesOf(bytes: Buffer) {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES);
}
