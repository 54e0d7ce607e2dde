import { EXIT, Failure } from './failure.ts';
import type { Output } from './output.ts';

/** On Ctrl-C: cleans up, says how to go on, and ends the process. */
export function onInterrupt(output: Output, advice: string, cleanUp: () => void): void {
  process.once('SIGINT', () => {
    cleanUp();
    output.fail(new Failure('INTERRUPTED', advice));
    process.exit(EXIT.interrupted);
  });
}
