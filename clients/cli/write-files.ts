import { onInterrupt } from './interrupt.ts';
import type { Output } from './output.ts';
import { OutputFiles } from './output-file.ts';
import { createProgress, type Progress } from './progress.ts';

/**
 * Writes files that are there when all of them are whole; when that fails, or is interrupted, there is none. `toStdout`:
 * something is written to standard output, where progress would stand in the way.
 */
export async function writeFiles<Written>(
  output: Output,
  toStdout: boolean,
  write: (files: OutputFiles, progress: Progress) => Promise<Written>,
): Promise<Written> {
  const progress = createProgress(output, toStdout);
  const files = new OutputFiles();
  const cleanUp = () => {
    progress.stop();
    files.discard();
  };
  onInterrupt(output, 'nothing was written', cleanUp);
  try {
    const written = await write(files, progress);
    await files.finish();
    return written;
  } catch (error) {
    cleanUp();
    throw error;
  }
}
