import { createHash } from 'node:crypto';
import type { FileHeader } from '../../proto/gen/accrete/v1/file.ts';
import type { Progress as ServerProgress } from '../../proto/gen/accrete/v1/progress.ts';
import { Failure } from './failure.ts';
import { type Progress, stateOf } from './progress.ts';

/** Where the bytes go; it may be slow, and is waited for. */
export interface ByteSink {
  write(bytes: Uint8Array): Promise<void>;
}

/** A message of a file that a server streams. */
interface FileAnswer {
  readonly content?:
    | { readonly $case: 'header'; readonly value: FileHeader }
    | { readonly $case: 'chunk'; readonly value: Uint8Array }
    | { readonly $case: 'progress'; readonly value: ServerProgress };
}

/** Takes a file from a server, and checks that it came as it was sent. Rejects with Failure. */
export async function download(
  answers: AsyncIterable<FileAnswer>,
  sink: ByteSink,
  progress: Progress,
): Promise<FileHeader> {
  const startMs = performance.now();
  const seconds = () => (performance.now() - startMs) / 1000;
  const hash = createHash('sha256');
  let header: FileHeader | undefined;
  let bytes = 0;
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
