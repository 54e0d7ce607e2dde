import { createHash } from 'node:crypto';
import { ExportCheckpointRequest } from '../../../proto/gen/accrete/v1/checkpoint.ts';
import type { FileHeader } from '../../../proto/gen/accrete/v1/file.ts';
import { ModelServiceService } from '../../../proto/gen/accrete/v1/model.ts';
import type { Connection } from '../connection.ts';
import { Failure } from '../failure.ts';
import { type Progress, stateOf } from '../progress.ts';

/** Where the bytes go; it may be slow, and is waited for. */
export interface ByteSink {
  write(bytes: Uint8Array): Promise<void>;
}

/** Takes a checkpoint as a file from a server, and checks that it came as it was sent. Rejects with Failure. */
export async function download(
  connection: Connection,
  request: Partial<ExportCheckpointRequest>,
  sink: ByteSink,
  progress: Progress,
): Promise<FileHeader> {
  const startMs = performance.now();
  const seconds = () => (performance.now() - startMs) / 1000;
  const hash = createHash('sha256');
  let header: FileHeader | undefined;
  let bytes = 0;
  const answers = connection.stream(ModelServiceService.exportCheckpoint, ExportCheckpointRequest.fromPartial(request));
  for await (const { content } of answers) {
    if (content?.$case === 'header') header = content.value;
    // Before the header the server tells how far it is; after it, we know.
    if (content?.$case === 'progress' && !header) progress.update(inMiB(stateOf(content.value, seconds())));
    if (content?.$case !== 'chunk') continue;
    hash.update(content.value);
    bytes += content.value.length;
    await sink.write(content.value);
    const total = Number(header?.bytes);
    progress.update({ unit: 'MiB', done: bytes / 2 ** 20, position: bytes, total, seconds: seconds(), phase: 'send' });
  }
  progress.stop();
  if (header && bytes === Number(header.bytes) && hash.digest('hex') === header.sha256) return header;
  throw new Failure('FILE_DAMAGED', 'what came is not what the server sent: export it again');
}

function inMiB<State extends { readonly done: number; readonly unit: string }>(state: State): State {
  return state.unit === 'bytes' ? { ...state, done: state.done / 2 ** 20, unit: 'MiB' } : state;
}
