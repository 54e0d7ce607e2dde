import { enableCompileCache } from 'node:module';
import { EXIT } from './failure.ts';

/** `accrete`: the command line. */

// Loading and compiling would take most of a short command's time.
enableCompileCache();
const { run } = await import('./program.ts');

// Whoever reads the output may stop reading, as `head` does.
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => process.exit(code === 'EPIPE' ? EXIT.ok : EXIT.failed));
process.exitCode = await run(process.argv.slice(2));
