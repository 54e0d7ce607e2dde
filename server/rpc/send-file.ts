import type { FileHeader } from '../../proto/gen/accrete/v1/file.ts';
import type { Progress } from '../../proto/gen/accrete/v1/progress.ts';
import type { JobStep } from '../jobs/messages.ts';
import type { FileItem } from '../jobs/send-file.ts';
import { progressMessage } from './progress-message.ts';

/** Whoever reads a small file is told of no progress before it. */
const QUIET_MS = 1000;

/** What a message of a streamed file brings. */
export type FileContent =
  | { readonly $case: 'header'; readonly value: FileHeader }
  | { readonly $case: 'chunk'; readonly value: Buffer }
  | { readonly $case: 'progress'; readonly value: Progress };

/** What a job makes of a file, as messages: as fast as they are taken. */
export async function* sendFile(
  startMs: number,
  steps: AsyncIterable<JobStep<FileItem>>,
): AsyncGenerator<{ content: FileContent }> {
  for await (const step of steps) {
    if (step.type === 'item') yield { content: contentOf(step.item) };
    else if (performance.now() - startMs > QUIET_MS)
      yield { content: { $case: 'progress', value: progressMessage(step.progress) } };
  }
}

function contentOf(item: FileItem): FileContent {
  if (item.type === 'chunk') return { $case: 'chunk', value: Buffer.from(item.chunk.buffer, 0, item.chunk.length) };
  const { name, bytes, sha256 } = item;
  return { $case: 'header', value: { name, bytes: BigInt(bytes), sha256 } };
}
